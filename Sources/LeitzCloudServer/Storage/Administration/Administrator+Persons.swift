import GRDB
import LeitzCloudAPI

/// Reading persons: the chapter "Person" and the persons of an organization.
extension Administrator {
    /// A person's number and organization; throws `not_found` for none.
    private func find(_ selector: Route.PersonSelector) throws -> (id: Int64, organization: Int64) {
        let row =
            switch selector {
            case .caller: try Self.row(db, "id = ?", [person])
            case .id(let id): try Self.row(db, "id = ?", [id])
            case .email(let email): try Self.row(db, "email = ?", [email])
            }
        guard let row else { throw APIError.notFound }
        return (row[0], row[1])
    }

    private static func row(_ db: Database, _ condition: String, _ arguments: StatementArguments)
        throws -> Row?
    {
        try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT id, organization_id FROM persons WHERE \(condition) AND is_deleted = 0
                    """), arguments: arguments)
    }

    /// The organization of a person whom the caller may see and change: themselves, or somebody
    /// whose organization the caller administers.
    @discardableResult
    func require(person id: Int64) throws -> Int64 {
        let found = try find(.id(id))
        if found.id != person, try !administers(found.organization) { throw APIError.forbidden }
        return found.organization
    }

    func person(_ selector: Route.PersonSelector) throws -> WirePerson {
        let found = try find(selector)
        try require(person: found.id)
        return try PersonObject(tree, policy: policy(found.organization)).person(found.id)
    }

    func persons(of organization: Int64, _ range: PageRange) throws -> WirePage<WirePerson> {
        try require(organization)
        let object = PersonObject(tree, policy: try policy(organization))
        return try page(
            "id", "FROM persons WHERE organization_id = ? AND is_deleted = 0", [organization],
            range
        ) { try object.person($0[0]) }
    }

    func activity(ofPerson id: Int64, _ range: PageRange) throws -> WirePage<WireActivity> {
        try require(person: id)
        return try Activities.page(
            db, "(actor_person_id = ?1 OR acted_on_person_id = ?1)", [id], range)
    }
}

/// Makes person objects out of rows.
struct PersonObject {
    private let tree: Tree
    private let policy: Policy
    private let wirePolicy: WirePolicy

    /// - Parameter policy: of the persons' organization.
    init(_ tree: Tree, policy: Policy) {
        self.tree = tree
        self.policy = policy
        wirePolicy = policy.wire
    }

    func person(_ id: Int64) throws -> WirePerson {
        let row = try Row.fetchOne(
            tree.db.cachedStatement(
                sql: """
                    SELECT p.email, p.display_name, p.quota, p.space_usage,
                        (SELECT r.id FROM roots r
                            WHERE r.id = p.own_root_id AND r.is_deleted = 0) AS root,
                        p.username, p.first_name, p.last_name, p.mobile_phone, p.is_site_admin,
                        p.is_system_admin, p.makes_shares, p.is_active, p.created,
                        p.organization_id
                    FROM persons p WHERE p.id = ?
                    """), arguments: [id])
        guard let row else { throw APIError.notFound }
        var person = WirePerson(id: id, email: row["email"])
        let name: String = row["display_name"]
        let names = name.split(separator: " ", maxSplits: 1).map(String.init)
        person.username = (row["username"] as String?) ?? ""
        person.companyID = row["organization_id"]
        person.displayName = name
        person.firstName = (row["first_name"] as String?) ?? names.first ?? ""
        person.lastName = (row["last_name"] as String?) ?? (names.count > 1 ? names[1] : "")
        let quota: Int64 = row["quota"]
        let usage: Int64 = row["space_usage"]
        person.spaceQuota = LenientInteger(quota)
        person.spaceQuotaFormatted = ByteCount.format(quota)
        person.spaceUsage = LenientInteger(usage)
        person.spaceUsageFormatted = ByteCount.format(usage)
        person.rootID = row["root"]
        person.mobilePhone = row["mobile_phone"]
        person.siteAdmin = row["is_site_admin"]
        person.systemAdmin = row["is_system_admin"]
        person.active = row["is_active"]
        person.created = WireTime(row["created"])
        let isAdministrator: Bool = row["is_site_admin"] || row["is_system_admin"]
        person.canShare = isAdministrator || row["makes_shares"]
        person.companyPolicy = wirePolicy
        person.roots = try roots(of: id)
        return person
    }

    /// The roots that a person is subscribed to.
    private func roots(of id: Int64) throws -> [WireRoot] {
        try Row.fetchAll(
            tree.db.cachedStatement(
                sql: """
                    SELECT r.id, r.name, r.kind, r.space_used, f.lock_expires > ?,
                        r.organization_id
                    FROM subscriptions s
                    JOIN roots r ON r.id = s.root_id JOIN folders f ON f.id = -r.id
                    WHERE s.person_id = ? AND r.is_deleted = 0 ORDER BY r.id
                    """), arguments: [tree.now, id]
        ).map { row in
            var root = WireRoot(
                access: RootAccess(
                    id: row[0], name: row[1], kind: row[2], spaceUsed: row[3], permissions: [],
                    organization: row[5]))
            root.isLocked = row[4] ?? false
            return root
        }
    }
}
