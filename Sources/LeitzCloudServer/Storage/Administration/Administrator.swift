import GRDB
import LeitzCloudAPI

/// A signed-in person with their rights, within one database access: the administrative calls.
///
/// A site administrator administers their own organization and those below it, a system
/// administrator all of them; everybody else only their own account.
struct Administrator {
    let tree: Tree
    /// The person's own organization.
    let organization: Int64
    private let isSiteAdministrator: Bool
    private let isSystemAdministrator: Bool

    var db: Database { tree.db }
    var person: Int64 { tree.caller.person }
    var now: Int64 { tree.now }

    /// Throws `access_denied` for no token, an unknown or an expired one.
    init(_ db: Database, _ context: CallContext) throws {
        try self.init(try Tree(db, context))
    }

    /// For a caller who was found by other means; throws `access_denied` for none.
    init(_ tree: Tree) throws {
        self.tree = tree
        let row = try Row.fetchOne(
            tree.db.cachedStatement(
                sql: """
                    SELECT organization_id, is_site_admin, is_system_admin FROM persons
                    WHERE id = ?
                    """), arguments: [tree.caller.person])
        guard let row else { throw APIError.accessDenied }
        organization = row[0]
        isSiteAdministrator = row[1]
        isSystemAdministrator = row[2]
    }

    /// Whether the caller may change which system administrators there are.
    var isOverAll: Bool {
        isSystemAdministrator
            || (isSiteAdministrator && organization == Schema.firstOrganization)
    }

    /// Throws `forbidden` for a caller who administers nothing, before anything else is looked at.
    func requireAdministrator() throws(APIError) {
        if !isSiteAdministrator && !isSystemAdministrator { throw .forbidden }
    }

    /// Whether an organization is the caller's to administer.
    func administers(_ id: Int64) throws -> Bool {
        if isOverAll { return true }
        guard isSiteAdministrator else { return false }
        return try organizationsAbove(id).contains(organization)
    }

    /// The organization itself and all above it.
    func organizationsAbove(_ id: Int64) throws -> [Int64] {
        try Int64.fetchAll(
            db.cachedStatement(
                sql: """
                    WITH RECURSIVE up (id) AS (
                        SELECT ? UNION
                        SELECT parent_id FROM organizations JOIN up USING (id)
                        WHERE parent_id IS NOT NULL)
                    SELECT id FROM up
                    """), arguments: [id])
    }

    /// The organization itself and all below it that are not deleted, as SQL of a CTE named
    /// `inside`, whose first argument is the organization's number.
    static let inside = """
        WITH RECURSIVE inside (id) AS (
            SELECT ?1 UNION
            SELECT o.id FROM organizations o JOIN inside i ON o.parent_id = i.id
            WHERE o.is_deleted = 0)

        """

    /// Throws `not_found` for an organization that isn't there, `forbidden` for one that the caller
    /// does not administer.
    func require(_ id: Int64) throws {
        let isKnown = try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT is_deleted = 0 FROM organizations WHERE id = ?"),
            arguments: [id])
        guard isKnown == true else { throw APIError.notFound }
        if try !administers(id) { throw APIError.forbidden }
    }

    func policy(_ id: Int64) throws -> Policy {
        try Policy(db, organization: id, tree.baseBehaviour)
    }

    /// Records what the caller did.
    func note(
        _ kind: ActivityKind, _ subject: ActivityNote.Subject, in organization: Int64,
        data: String? = nil
    ) throws {
        try Activities.note(
            db,
            ActivityNote(kind: kind, subject: subject, organization: organization, data: data),
            by: person, guid: tree.caller.guid, now: now)
    }

    /// A list with its total, one page of it.
    ///
    /// - Parameters:
    ///   - source: SQL from `FROM` on, without order.
    ///   - columns: what `make` reads; the list is ordered by the first.
    func page<Element>(
        _ columns: String, _ source: String, _ arguments: StatementArguments, _ range: PageRange,
        _ make: (Row) throws -> Element
    ) throws -> WirePage<Element> {
        let total = try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT count(*) \(source)"), arguments: arguments)
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: "SELECT \(columns) \(source) ORDER BY 1 LIMIT ? OFFSET ?"),
            arguments: arguments + [PageRange.size, range.offset])
        return WirePage(results: try rows.map(make), offset: range.offset, total: total ?? 0)
    }

    /// Leaves a message for somebody, for when the change is durable; see `EmbeddedCloud.messages`.
    func send(to recipient: String, subject: String, _ body: String) {
        tree.letters.write(
            EmbeddedCloud.Message(recipient: recipient, subject: subject, body: body))
    }
}
