import GRDB
import LeitzCloudAPI

/// Who a team share is for: persons, groups, and accounts of other organizations.
extension Administrator {
    private static let personWords = ["web", "webdav", "future"]
    private static let groupWords = ["web", "webdav", "machines"]

    func subscribers(of id: Int64, in organization: Int64, includesGroups: Bool) throws
        -> WireSubscribers
    {
        _ = try share(id, of: organization)
        var wire = WireSubscribers(fields: [:])
        wire.subscribers = try Row.fetchAll(
            db,
            sql: """
                SELECT person_id, kind, role FROM person_subscribers WHERE root_id = ?
                ORDER BY person_id, id
                """, arguments: [id]
        ).map(Self.subscriber)
        wire.groups = try Row.fetchAll(
            db,
            sql: """
                SELECT group_id, kind, role FROM group_subscribers WHERE root_id = ?
                ORDER BY group_id, kind DESC
                """, arguments: [id]
        ).map(Self.subscriber)
        let external = try Row.fetchAll(
            db,
            sql: """
                SELECT p.email, e.state FROM external_subscribers e
                JOIN persons p ON p.id = e.person_id WHERE e.root_id = ?
                """, arguments: [id])
        wire.external = Dictionary(uniqueKeysWithValues: external.map { ($0[0], $0[1]) })
        if includesGroups { wire.fromGroup = try subscribersFromGroups(of: id) }
        return wire
    }

    private static func subscriber(_ row: Row) -> WireSubscriber {
        let kind: String = row[1]
        return WireSubscriber(
            id: row[0], kind: Int64(kind).map { .machine($0) } ?? .word(kind), role: row[2])
    }

    /// Members of subscribed groups, at any depth. A group's `machines` are a member's machines,
    /// those of today and of the future.
    private func subscribersFromGroups(of root: Int64) throws -> [WireSubscriber] {
        let rows = try Row.fetchAll(
            db,
            sql: """
                WITH RECURSIVE wanted (group_id, kind, role) AS (
                    SELECT group_id, kind, role FROM group_subscribers WHERE root_id = ?
                    UNION SELECT m.member_id, w.kind, w.role FROM member_groups m
                    JOIN wanted w ON m.group_id = w.group_id)
                SELECT DISTINCT m.person_id, w.kind, w.role FROM wanted w
                JOIN group_members m ON m.group_id = w.group_id ORDER BY 1, 2 DESC, 3
                """, arguments: [root])
        var result: [WireSubscriber] = []
        for row in rows {
            let subscriber = Self.subscriber(row)
            guard subscriber.kind == .machines else {
                result.append(subscriber)
                continue
            }
            for kind in [.future] + (try machineKinds(of: subscriber.id)) {
                result.append(
                    WireSubscriber(id: subscriber.id, kind: kind, role: subscriber.role))
            }
        }
        return result
    }

    /// The person's machines that sync folders.
    private func machineKinds(of person: Int64) throws -> [WireSubscriber.Kind] {
        try Int64.fetchAll(
            db,
            sql: """
                SELECT id FROM machines WHERE person_id = ? AND machine_type = 'agent' ORDER BY id
                """, arguments: [person]
        ).map { .machine($0) }
    }

    /// Replaces the lists that the fields give; a list that is not given stays.
    func setSubscribers(
        of root: Int64, name: String, in organization: Int64, _ form: FormFields, tells: Bool
    ) throws {
        let persons: [WireSubscriber]? = try form.list("subscribers")
        let groups: [WireSubscriber]? = try form.list("group_subscribers")
        let external: [String]? = try form.list("external_subscribers")
        if let persons {
            let known = try Int64.fetchSet(
                db, sql: "SELECT person_id FROM person_subscribers WHERE root_id = ?",
                arguments: [root])
            try setPersons(persons, of: root, organization)
            if tells {
                for person in Set(persons.map(\.id)).subtracting(known) {
                    try tell(person, of: name)
                }
            }
        }
        if let groups { try setGroups(groups, of: root, organization) }
        if let external { try setExternal(external, of: root, name: name, organization) }
        if persons != nil || groups != nil || external != nil {
            try Subscriptions.refresh(db, root: root)
        }
    }

    private func tell(_ person: Int64, of share: String) throws {
        let email = try String.fetchOne(
            db, sql: "SELECT email FROM persons WHERE id = ?", arguments: [person])
        guard let email else { return }
        send(to: email, subject: "Share", "You have been subscribed to \(share).")
    }

    private func setPersons(_ subscribers: [WireSubscriber], of root: Int64, _ organization: Int64)
        throws
    {
        try db.execute(sql: "DELETE FROM person_subscribers WHERE root_id = ?", arguments: [root])
        for subscriber in subscribers {
            let holder = try Int64.fetchOne(
                db.cachedStatement(
                    sql: "SELECT organization_id FROM persons WHERE id = ? AND is_deleted = 0"),
                arguments: [subscriber.id])
            guard let holder, try holder == organization || administers(holder),
                try isRole(subscriber.role)
            else { throw APIError.invalid("subscribers") }
            let machines = try machineKinds(of: subscriber.id)
            var kinds = [subscriber.kind]
            switch subscriber.kind {
            case .all: kinds = Self.personWords.map { .word($0) } + machines
            case .word(let word) where Self.personWords.contains(word): break
            case .machine where machines.contains(subscriber.kind): break
            default: throw APIError.invalid("subscribers")
            }
            for kind in kinds {
                try db.execute(
                    sql: """
                        INSERT INTO person_subscribers (root_id, person_id, kind, role)
                        VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET role = excluded.role
                        """, arguments: [root, subscriber.id, kind.text, subscriber.role])
            }
        }
    }

    private func setGroups(_ subscribers: [WireSubscriber], of root: Int64, _ organization: Int64)
        throws
    {
        try db.execute(sql: "DELETE FROM group_subscribers WHERE root_id = ?", arguments: [root])
        for subscriber in subscribers {
            let holder = try Int64.fetchOne(
                db, sql: "SELECT organization_id FROM groups WHERE id = ?",
                arguments: [subscriber.id])
            guard let holder, try holder == organization || administers(holder),
                case .word(let word) = subscriber.kind, Self.groupWords.contains(word),
                try isRole(subscriber.role)
            else { throw APIError.invalid("group_subscribers") }
            try db.execute(
                sql: """
                    INSERT INTO group_subscribers (root_id, group_id, kind, role)
                    VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET role = excluded.role
                    """, arguments: [root, subscriber.id, word, subscriber.role])
        }
    }

    private func isRole(_ name: String) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT count(*) FROM roles WHERE name = ?"),
            arguments: [name]) == true
    }

    /// Invites accounts of other organizations; those that were invited keep their answer.
    private func setExternal(
        _ emails: [String], of root: Int64, name: String, _ organization: Int64
    ) throws {
        var wanted: Set<Int64> = []
        for email in emails {
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT id, organization_id FROM persons WHERE email = ? AND is_deleted = 0
                    """, arguments: [email])
            guard let row, row[1] != organization else {
                throw APIError.invalid("external_subscribers")
            }
            wanted.insert(row[0])
        }
        let present = try Int64.fetchSet(
            db, sql: "SELECT person_id FROM external_subscribers WHERE root_id = ?",
            arguments: [root])
        for person in present.subtracting(wanted) {
            try db.execute(
                sql: "DELETE FROM external_subscribers WHERE root_id = ? AND person_id = ?",
                arguments: [root, person])
        }
        for person in wanted.subtracting(present) {
            try db.execute(
                sql: """
                    INSERT INTO external_subscribers (root_id, person_id, state)
                    VALUES (?, ?, 'invited')
                    """, arguments: [root, person])
            try tell(person, of: name)
        }
    }
}
