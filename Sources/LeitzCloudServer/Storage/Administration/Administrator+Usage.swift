import GRDB
import LeitzCloudAPI

/// What an organization and those below it use (API v2, "Kennzahl/ Metrics-Methoden").
extension Administrator {
    func usage(of organization: Int64) throws -> WireUsage {
        try require(organization)
        var usage = WireUsage(fields: ["type": .text("organization_usage")])
        let users = try space(of: organization, kind: "sync")
        let shares = try space(of: organization, kind: "share")
        let backups = try space(of: organization, kind: "backup")
        usage.users = users.wire
        usage.teamShares = shares.wire
        usage.backups = backups.wire
        usage.total = (users + shares + backups).wire
        usage.counts = try counts(of: organization)
        return usage
    }

    /// Sums over roots that are not deleted.
    private struct Space {
        var deletedFiles: Int64 = 0
        var deletedRevisions: Int64 = 0
        var deletedSize: Int64 = 0
        var files: Int64 = 0
        var headSize: Int64 = 0
        var revisions: Int64 = 0
        var revisionSize: Int64 = 0
        var roots: Int64 = 0

        static func + (one: Space, other: Space) -> Space {
            Space(
                deletedFiles: one.deletedFiles + other.deletedFiles,
                deletedRevisions: one.deletedRevisions + other.deletedRevisions,
                deletedSize: one.deletedSize + other.deletedSize, files: one.files + other.files,
                headSize: one.headSize + other.headSize,
                revisions: one.revisions + other.revisions,
                revisionSize: one.revisionSize + other.revisionSize,
                roots: one.roots + other.roots)
        }

        var wire: WireSpaceUsage {
            var wire = WireSpaceUsage(fields: ["type": .text("root_space_usage")])
            let physical = headSize + revisionSize + deletedSize
            wire.deletedFileCount = deletedFiles
            wire.deletedRevisionCount = deletedRevisions
            wire.deletedSize = deletedSize
            wire.deletedSizeFormatted = Self.format(deletedSize)
            wire.fileCount = files
            wire.headSize = headSize
            wire.headSizeFormatted = Self.format(headSize)
            wire.physicalSize = physical
            wire.physicalSizeFormatted = Self.format(physical)
            wire.revisionCount = revisions
            wire.revisionSize = revisionSize
            wire.revisionSizeFormatted = Self.format(revisionSize)
            wire.rootCount = roots
            return wire
        }

        /// As in the document's sample of this object: `385.91 KB`.
        private static func format(_ bytes: Int64) -> String {
            let units = ["B", "KB", "MB", "GB", "TB", "PB"]
            var value = Double(bytes)
            var unit = 0
            while value >= 1024, unit < units.count - 1 {
                value /= 1024
                unit += 1
            }
            let hundredths = Int64((value * 100).rounded())
            let digits = String(hundredths % 100)
            return "\(hundredths / 100).\(digits.count < 2 ? "0" : "")\(digits) \(units[unit])"
        }
    }

    private func space(of organization: Int64, kind: String) throws -> Space {
        let row = try Row.fetchOne(
            db,
            sql: Self.inside + """
                SELECT count(DISTINCT f.id) FILTER (WHERE f.is_deleted),
                    count(*) FILTER (WHERE f.is_deleted),
                    coalesce(sum(v.size) FILTER (WHERE f.is_deleted), 0),
                    count(DISTINCT f.id),
                    coalesce(sum(v.size) FILTER (
                        WHERE NOT f.is_deleted AND v.id = f.revision_id), 0),
                    count(*),
                    coalesce(sum(v.size) FILTER (
                        WHERE NOT f.is_deleted AND v.id <> f.revision_id), 0)
                FROM roots r JOIN files f ON f.root_id = r.id
                JOIN revisions v ON v.file_id = f.id
                WHERE r.organization_id IN (SELECT id FROM inside) AND r.kind = ?2
                AND r.is_deleted = 0
                """, arguments: [organization, kind])
        let roots = try Int64.fetchOne(
            db,
            sql: Self.inside + """
                SELECT count(*) FROM roots WHERE organization_id IN (SELECT id FROM inside)
                AND kind = ?2 AND is_deleted = 0
                """, arguments: [organization, kind])
        guard let row else { return Space() }
        return Space(
            deletedFiles: row[0], deletedRevisions: row[1], deletedSize: row[2], files: row[3],
            headSize: row[4], revisions: row[5], revisionSize: row[6], roots: roots ?? 0)
    }

    /// The organization itself is not one of its organizations.
    private func counts(of organization: Int64) throws -> WireUsageCounts {
        let persons =
            "FROM persons p WHERE p.is_deleted = 0 AND p.organization_id IN (SELECT id FROM inside)"
        let queries = [
            ("accounts", "SELECT count(*) \(persons)"),
            (
                "admin_accounts",
                "SELECT count(*) \(persons) AND (p.is_site_admin OR p.is_system_admin)"
            ),
            (
                "groups",
                "SELECT count(*) FROM groups WHERE organization_id IN (SELECT id FROM inside)"
            ),
            (
                "guests",
                "SELECT count(*) FROM guests WHERE organization_id IN (SELECT id FROM inside)"
            ),
            (
                "machines",
                "SELECT count(*) FROM machines WHERE person_id IN (SELECT p.id \(persons))"
            ),
            ("organizations", "SELECT count(*) - 1 FROM inside"),
        ]
        var counts = WireUsageCounts(fields: ["type": .text("organization_usage_counts")])
        for (name, query) in queries {
            let count = try Int64.fetchOne(
                db, sql: Self.inside + query, arguments: [organization])
            counts.fields[name] = .integer(count ?? 0)
        }
        return counts
    }
}
