import GRDB
import LeitzCloudAPI

/// What has happened, for the lists of the Activity chapter. The oldest records are forgotten.
struct ActivityNote: Sendable {
    /// What was acted on.
    enum Subject: Sendable {
        case organization(Int64, name: String)
        case person(Int64, name: String)
        case guest(Int64, name: String)
        case group(Int64, name: String)
        case machine(Int64, name: String)
        case root(Int64, name: String)

        var type: String {
            switch self {
            case .organization: "site"
            case .person: "person"
            case .guest: "guest"
            case .group: "group"
            case .machine: "machine"
            case .root: "root"
            }
        }

        var name: String {
            switch self {
            case .organization(_, let name), .person(_, let name), .guest(_, let name),
                .group(_, let name), .machine(_, let name), .root(_, let name):
                name
            }
        }

        /// The column for the number, and the number.
        var id: (column: String, value: Int64) {
            switch self {
            case .organization(let id, _): ("acted_on_company_id", id)
            case .person(let id, _): ("acted_on_person_id", id)
            case .guest(let id, _): ("acted_on_guest_id", id)
            case .group(let id, _): ("acted_on_group_id", id)
            case .machine(let id, _): ("acted_on_machine_id", id)
            case .root(let id, _): ("acted_on_root_id", id)
            }
        }
    }

    var kind: ActivityKind
    var subject: Subject
    /// In whose list it stands.
    var organization: Int64
    var action: String?
    var data: String?
}

enum Activities {
    /// Records beyond this number are forgotten, the oldest first.
    static let maximum: Int64 = 1_000_000
    private static let pruneEvery: Int64 = 1024

    /// Records what a person did.
    ///
    /// - Parameter guid: of the machine it was done on.
    static func note(
        _ db: Database, _ note: ActivityNote, by person: Int64, guid: String?, now: Int64
    ) throws {
        try db.cachedStatement(
            sql: """
                INSERT INTO activities (organization_id, activity_type_id, actor_type, actor_text,
                actor_company_id, actor_machine_id, actor_person_id, acted_on_type,
                acted_on_text, \(note.subject.id.column), action_text, data_text, created)
                SELECT ?, ?, 'person', p.display_name, p.organization_id,
                    (SELECT id FROM machines WHERE guid = ?), p.id, ?, ?, ?, ?, ?, ?
                FROM persons p WHERE p.id = ?
                """
        ).execute(arguments: [
            note.organization, note.kind.rawValue, guid, note.subject.type, note.subject.name,
            note.subject.id.value, note.action, note.data, now, person,
        ])
        let last = db.lastInsertedRowID
        if last % pruneEvery == 0 {
            try db.cachedStatement(sql: "DELETE FROM activities WHERE id <= ?")
                .execute(arguments: [last - maximum])
        }
    }

    private static let columns = [
        "id", "activity_type_id", "actor_type", "actor_text", "actor_company_id",
        "actor_machine_id", "actor_person_id", "actor_guest_id", "acted_on_type",
        "acted_on_text", "acted_on_company_id", "acted_on_machine_id", "acted_on_person_id",
        "acted_on_guest_id", "acted_on_root_id", "acted_on_group_id", "action_text",
        "data_text", "created", "processed",
    ]

    /// Records that a condition picks, the newest first.
    ///
    /// - Parameter condition: SQL without values in it.
    static func page(
        _ db: Database, _ condition: String, _ arguments: StatementArguments, _ page: PageRange
    ) throws -> WirePage<WireActivity> {
        let total = try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT count(*) FROM activities WHERE \(condition)"),
            arguments: arguments)
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT \(columns.joined(separator: ", ")) FROM activities WHERE \(condition)
                    ORDER BY id DESC LIMIT ? OFFSET ?
                    """), arguments: arguments + [PageRange.size, page.offset])
        return WirePage(results: rows.map(wire), offset: page.offset, total: total ?? 0)
    }

    /// One record with the organization in whose list it stands.
    static func record(_ db: Database, id: Int64) throws
        -> (activity: WireActivity, organization: Int64)?
    {
        try Row.fetchOne(
            db,
            sql: """
                SELECT \(columns.joined(separator: ", ")), organization_id FROM activities
                WHERE id = ?
                """, arguments: [id]
        ).map { (wire($0), $0[columns.count]) }
    }

    private static func wire(_ row: Row) -> WireActivity {
        var activity = WireActivity(id: row[0])
        for (index, name) in columns.enumerated() where index > 0 {
            let value: DatabaseValue = row[index]
            activity.fields[name] =
                switch value.storage {
                case .int64(let number): .integer(number)
                case .string(let text): .text(text)
                default: .null
                }
        }
        activity.created = WireTime(row["created"])
        activity.processed = row["processed"] as Bool
        return activity
    }

    static func types(_ db: Database) throws -> [WireActivityType] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT id, activity, machine_scope, user_scope, system_scope FROM activity_types
                ORDER BY id
                """
        ).map { row in
            WireActivityType(fields: [
                "type": .text("activity_type"), "id": .integer(row[0]),
                "activity": .text(row[1]), "machine_scope": .flag(row[2]),
                "user_scope": .flag(row[3]), "system_scope": .flag(row[4]),
            ])
        }
    }
}

/// Which part of a list a call asks for (`offset`).
struct PageRange: Sendable {
    static let size: Int64 = 100

    var offset: Int64

    init(_ fields: FormFields) throws(APIError) {
        guard let text = fields["offset"], !text.isEmpty else {
            offset = 0
            return
        }
        guard let number = Int64(text), number >= 0 else { throw .invalid("offset") }
        offset = number
    }
}
