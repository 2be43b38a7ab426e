import GRDB
import LeitzCloudAPI

/// The rules of one organization, as they bind now.
///
/// The first organization has the server's switches as its defaults, so that a server of one
/// organization is set up by its switches alone; every other one keeps all its rules in the
/// database from its beginning.
struct Policy: Sendable {
    let organization: Int64
    private let values: [String: String]

    init(_ db: Database, organization: Int64, _ behaviour: ServerBehaviour) throws {
        var values = organization == Schema.firstOrganization ? Self.defaults(behaviour) : [:]
        let rows = try Row.fetchCursor(
            db.cachedStatement(sql: "SELECT name, value FROM policies WHERE organization_id = ?"),
            arguments: [organization])
        while let row = try rows.next() { values[row[0]] = row[1] }
        self.organization = organization
        self.values = values
    }

    private static func defaults(_ behaviour: ServerBehaviour) -> [String: String] {
        [
            "excluded_extensions": behaviour.excludedExtensions.joined(separator: ","),
            "locked_extensions": "",
            "max_file_size": behaviour.maximumFileSizeMB.map { String($0) } ?? "",
            "num_orgs_maximum": "", "space_quota": "",
            "user_lock_files": behaviour.userLockFiles ? "true" : "false",
            "user_overwrite_collisions": behaviour.uploadOntoName == .revision ? "true" : "false",
        ]
    }

    private func value(_ name: String) -> String {
        values[name] ?? PolicyField.byName[name]?.documented ?? ""
    }

    func flag(_ name: String) -> Bool { value(name) == "true" }

    /// Nil where the rule sets no number.
    func number(_ name: String) -> Int64? { Int64(value(name)) }

    /// A limit; 0 and none are no limit.
    func limit(_ name: String) -> Int64? { number(name).flatMap { $0 > 0 ? $0 : nil } }

    /// The policy object.
    var wire: WirePolicy {
        var wire = WirePolicy()
        for field in PolicyField.all { wire.fields[field.name] = field.json(value(field.name)) }
        wire.companyID = organization
        let quota = number("space_quota")
        wire.spaceQuotaFormatted = quota.map(ByteCount.format)
        return wire
    }

    /// Keeps the rules that the fields of a call set; throws `invalid_request` for a bad value.
    ///
    /// - Returns: whether there were any.
    @discardableResult
    static func update(_ db: Database, organization: Int64, _ form: FormFields) throws -> Bool {
        var isChanged = false
        for field in PolicyField.all {
            guard let text = form[field.name] else { continue }
            try set(db, organization, field.name, try field.checked(text))
            isChanged = true
        }
        return isChanged
    }

    /// The document's defaults for a new organization, over which `update` goes.
    static func begin(_ db: Database, organization: Int64) throws {
        for field in PolicyField.all { try set(db, organization, field.name, field.documented) }
    }

    private static func set(_ db: Database, _ organization: Int64, _ name: String, _ value: String)
        throws
    {
        try db.cachedStatement(
            sql: """
                INSERT INTO policies (organization_id, name, value) VALUES (?, ?, ?)
                ON CONFLICT DO UPDATE SET value = excluded.value
                """
        ).execute(arguments: [organization, name, value])
    }
}

extension ServerBehaviour {
    /// The switches as the policy of a person's organization changes them for that person's calls.
    func bound(_ db: Database, person: Int64) throws -> ServerBehaviour {
        var bound = self
        let rows = try Row.fetchCursor(
            db.cachedStatement(
                sql: """
                    SELECT name, value FROM policies
                    WHERE organization_id = (SELECT organization_id FROM persons WHERE id = ?)
                    AND name IN ('excluded_extensions', 'max_file_size', 'user_lock_files')
                    """), arguments: [person])
        while let row = try rows.next() {
            let value: String = row[1]
            switch row[0] as String {
            case "excluded_extensions":
                bound.excludedExtensions = value.split { $0 == "," || $0 == " " }.map(String.init)
            case "max_file_size":
                bound.maximumFileSizeMB = Int(value).flatMap { $0 > 0 ? min($0, 1 << 40) : nil }
            default: bound.userLockFiles = value == "true"
            }
        }
        return bound
    }
}
