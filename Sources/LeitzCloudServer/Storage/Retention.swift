import GRDB
import Logging
import ServiceLifecycle

/// Removes what the policies of organizations do not want to be kept: deleted files and folders
/// (`purge_deleted`, after `purge_deleted_frequency` days) and the earlier revisions of files that
/// stay unchanged (`trim_revisions`, after `trim_revisions_x` days).
struct Retention: Service {
    private static let secondsBetween: Int64 = 3_600
    /// Files or folders of one write.
    private static let batch = 500

    let services: CloudServices

    /// Works once an hour until the server stops.
    func run() async throws {
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await apply()
                    try await Task.sleep(for: .seconds(Self.secondsBetween))
                } catch is CancellationError {
                    return
                } catch {
                    // What was not removed now is removed an hour later.
                    services.logger.error("retention failed", metadata: ["error": "\(error)"])
                    do { try await Task.sleep(for: .seconds(Self.secondsBetween)) } catch { return }
                }
            }
        }
    }

    /// Removes all that is due now.
    func apply() async throws {
        let now = services.clock()
        try await removeContents()
        let isWanted = try await services.database.read { db in
            try Bool.fetchOne(
                db,
                sql: """
                    SELECT count(*) FROM policies
                    WHERE name IN ('trim_revisions', 'purge_deleted') AND value = 'true'
                    """)
        }
        guard isWanted == true else { return }
        for step in [Self.trimRevisions, Self.purgeFiles, Self.purgeFolders] {
            while try await services.database.write({ try step($0, now) }) > 0 {
                try await removeContents()
            }
        }
    }

    /// Removes the contents of revisions that are no more. A crash leaves the list to the next run.
    private func removeContents() async throws {
        let revisions = try await services.database.read {
            try Int64.fetchAll($0, sql: "SELECT revision_id FROM unneeded_contents")
        }
        if revisions.isEmpty { return }
        for revision in revisions { try await services.content.remove(revision) }
        try await services.database.write { db in
            for revision in revisions {
                try db.cachedStatement(sql: "DELETE FROM unneeded_contents WHERE revision_id = ?")
                    .execute(arguments: [revision])
            }
        }
    }

    /// The organizations with a rule that is on, and its days: SQL of a CTE named `due` with the
    /// time before which things are old.
    private static func due(_ rule: String, _ days: String) -> String {
        """
        WITH due (organization_id, before) AS (
            SELECT a.organization_id, ?1 - 86400 * CAST(b.value AS INTEGER)
            FROM policies a JOIN policies b ON b.organization_id = a.organization_id
            WHERE a.name = '\(rule)' AND a.value = 'true' AND b.name = '\(days)'
            AND CAST(b.value AS INTEGER) > 0)

        """
    }

    /// The newest revision of all stays, so that no number is ever given twice.
    private static let isOld = "< (SELECT max(id) FROM revisions)"

    /// Each gives how much it has done, 0 when there is no more.
    private typealias Step = @Sendable (Database, Int64) throws -> Int

    private static let trimRevisions: Step = { db, now in
        let revisions = try Int64.fetchAll(
            db,
            sql: due("trim_revisions", "trim_revisions_x") + """
                SELECT v.id FROM due JOIN roots r USING (organization_id)
                JOIN files f ON f.root_id = r.id JOIN revisions v ON v.file_id = f.id
                WHERE f.changed <= due.before AND f.is_deleted = 0 AND v.id <> f.revision_id
                AND v.id \(isOld) LIMIT ?2
                """, arguments: [now, batch])
        try forget(db, revisions: revisions)
        return revisions.count
    }

    private static let purgeFiles: Step = { db, now in
        let rows = try Row.fetchAll(
            db,
            sql: due("purge_deleted", "purge_deleted_frequency") + """
                SELECT f.id, f.parent_id FROM due JOIN roots r USING (organization_id)
                JOIN files f ON f.root_id = r.id
                WHERE f.is_deleted = 1 AND f.changed <= due.before AND f.revision_id \(isOld)
                LIMIT ?2
                """, arguments: [now, batch])
        for row in rows {
            let id: Int64 = row[0]
            try forget(
                db,
                revisions: try Int64.fetchAll(
                    db.cachedStatement(sql: "SELECT id FROM revisions WHERE file_id = ?"),
                    arguments: [id]))
            try remove(db, "file", id, item: ItemNumber.file(id), parent: row[1])
        }
        return rows.count
    }

    /// From the lowest ones up: a folder goes once nothing is in it any more.
    private static let purgeFolders: Step = { db, now in
        let rows = try Row.fetchAll(
            db,
            sql: due("purge_deleted", "purge_deleted_frequency") + """
                SELECT d.id, d.parent_id FROM due JOIN roots r USING (organization_id)
                JOIN folders d ON d.root_id = r.id
                WHERE d.is_deleted = 1 AND d.deleted <= due.before
                AND NOT EXISTS (SELECT 1 FROM files WHERE parent_id = d.id)
                AND NOT EXISTS (SELECT 1 FROM folders c WHERE c.parent_id = d.id) LIMIT ?2
                """, arguments: [now, batch])
        for row in rows {
            let id: Int64 = row[0]
            try remove(db, "folder", id, item: ItemNumber.folder(id), parent: row[1])
        }
        return rows.count
    }

    private static func forget(_ db: Database, revisions: [Int64]) throws {
        for revision in revisions {
            try db.cachedStatement(sql: "INSERT INTO unneeded_contents VALUES (?)")
                .execute(arguments: [revision])
            try db.cachedStatement(sql: "DELETE FROM revisions WHERE id = ?")
                .execute(arguments: [revision])
        }
    }

    /// Removes the row of a file or folder and what names it.
    private static func remove(
        _ db: Database, _ kind: String, _ id: Int64, item: Int64, parent: Int64
    ) throws {
        let shares = "SELECT id FROM shares WHERE \(kind)_id = ?"
        for (sql, number) in [
            ("DELETE FROM share_subscribers WHERE share_id IN (\(shares))", id),
            ("DELETE FROM shares WHERE \(kind)_id = ?", id),
            ("DELETE FROM dav_properties WHERE item = ?", item),
            ("DELETE FROM dav_locks WHERE item = ?", item),
            ("DELETE FROM \(kind)s WHERE id = ?", id),
            ("UPDATE folders SET listing_version = listing_version + 1 WHERE id = ?", parent),
        ] { try db.cachedStatement(sql: sql).execute(arguments: [number]) }
    }
}

extension EmbeddedCloud {
    /// Removes what the policies do not want to be kept, as the server does by itself every hour.
    package func applyRetention() async throws { try await Retention(services: services).apply() }
}
