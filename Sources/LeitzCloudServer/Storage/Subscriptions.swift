import GRDB

/// Which roots a person sees and with which permissions: the table `subscriptions`, which the file
/// calls use. It is made of direct grants and of the subscribers of a share, persons, groups and
/// invited accounts alike; nothing else writes to it.
enum Subscriptions {
    /// Every person with permissions on a root, one row each reason. `?1` is the root, `?2` the
    /// person or NULL for all.
    private static let reasons = """
        WITH RECURSIVE wanted (group_id, role) AS (
            SELECT group_id, role FROM group_subscribers WHERE root_id = ?1
            UNION
            SELECT m.member_id, w.role FROM member_groups m JOIN wanted w ON m.group_id = w.group_id
        )
        SELECT person_id, permissions FROM direct_grants
            WHERE root_id = ?1 AND (?2 IS NULL OR person_id = ?2)
        UNION SELECT s.person_id, r.permissions FROM person_subscribers s
            JOIN roles r ON r.name = s.role
            WHERE s.root_id = ?1 AND (?2 IS NULL OR s.person_id = ?2)
        UNION SELECT m.person_id, r.permissions FROM wanted w
            JOIN group_members m ON m.group_id = w.group_id JOIN roles r ON r.name = w.role
            WHERE ?2 IS NULL OR m.person_id = ?2
        UNION SELECT e.person_id, r.permissions FROM external_subscribers e
            JOIN roles r ON r.name = 'COLLABORATOR'
            WHERE e.root_id = ?1 AND e.state = 'accepted' AND (?2 IS NULL OR e.person_id = ?2)
        """

    /// Brings the subscriptions of a root up to date; rows that stay as they are aren't touched.
    ///
    /// - Parameter person: the only one for whom something may have changed; nil for all.
    static func refresh(_ db: Database, root: Int64, person: Int64? = nil) throws {
        var wanted: [Int64: Set<Substring>] = [:]
        let reasons = try Row.fetchCursor(
            db.cachedStatement(sql: Self.reasons), arguments: [root, person])
        while let row = try reasons.next() {
            let words: String = row[1]
            wanted[row[0], default: []].formUnion(words.split(separator: ","))
        }
        var present: [Int64: String] = [:]
        let rows = try Row.fetchCursor(
            db.cachedStatement(
                sql: """
                    SELECT person_id, permissions FROM subscriptions
                    WHERE root_id = ?1 AND (?2 IS NULL OR person_id = ?2)
                    """), arguments: [root, person])
        while let row = try rows.next() { present[row[0]] = row[1] }
        for (id, words) in wanted {
            let text = Accounts.permissionWords.filter { words.contains(Substring($0)) }
                .joined(separator: ",")
            if present.removeValue(forKey: id) == text { continue }
            try db.cachedStatement(
                sql: """
                    INSERT INTO subscriptions (person_id, root_id, permissions) VALUES (?, ?, ?)
                    ON CONFLICT DO UPDATE SET permissions = excluded.permissions
                    """
            ).execute(arguments: [id, root, text])
        }
        for id in present.keys {
            try db.cachedStatement(
                sql: "DELETE FROM subscriptions WHERE person_id = ? AND root_id = ?"
            ).execute(arguments: [id, root])
        }
    }

    /// Ends all subscriptions of persons who have no reason for any more.
    ///
    /// - Parameter persons: a query of their numbers, with one argument.
    static func end(_ db: Database, ofPersons persons: String, _ argument: Int64) throws {
        try db.execute(
            sql: "DELETE FROM subscriptions WHERE person_id IN \(persons)", arguments: [argument])
    }

    /// The roots that groups are subscribed to, by themselves or through a group they are in.
    static func roots(_ db: Database, ofGroups groups: some Sequence<Int64>) throws -> Set<Int64> {
        var roots: Set<Int64> = []
        for group in groups {
            roots.formUnion(
                try Int64.fetchAll(
                    db.cachedStatement(
                        sql: """
                            WITH RECURSIVE up (id) AS (
                                SELECT ? UNION
                                SELECT group_id FROM member_groups JOIN up ON member_id = id)
                            SELECT DISTINCT s.root_id FROM group_subscribers s
                            JOIN up ON s.group_id = up.id JOIN roots r ON r.id = s.root_id
                            WHERE r.is_deleted = 0
                            """), arguments: [group]))
        }
        return roots
    }

    /// Brings up to date what groups are subscribed to, after a change of their members.
    ///
    /// - Parameter person: the only one who came or went; nil where others did.
    static func refresh(
        _ db: Database, groups: some Sequence<Int64>, person: Int64? = nil
    ) throws {
        for root in try roots(db, ofGroups: groups) {
            try refresh(db, root: root, person: person)
        }
    }
}
