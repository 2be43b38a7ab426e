import GRDB
import HummingbirdCore
import LeitzCloudAPI

/// The Person chapter, as far as an account without administrative rights may call it.
struct PersonCalls: Sendable {
    let services: CloudServices
    let context: CallContext

    func run(_ call: Route.Call) async throws -> Response {
        let context = context
        switch call {
        case .person(let selector):
            return try Response(
                json: try await services.database.read { try Tree($0, context).person(selector) })
        case .createOwnRoot(let person):
            return try Response(
                json: try await services.database.write { db in
                    let tree = try Tree(db, context)
                    if person != tree.caller.person { throw APIError.forbidden }
                    let id = try Accounts.ensureOwnRoot(db, person: person)
                    return WireRoot(access: try tree.root(id))
                })
        case .administerPersons:
            try await services.database.read { _ = try Tree($0, context) }
            throw APIError.forbidden
        default: throw APIError.notFound
        }
    }
}

extension Tree {
    /// The caller's own account; 403 for other persons, 404 for none.
    func person(_ selector: Route.PersonSelector) throws -> WirePerson {
        let wanted =
            switch selector {
            case .caller: caller.person as Int64?
            case .id(let id):
                try Int64.fetchOne(db, sql: "SELECT id FROM persons WHERE id = ?", arguments: [id])
            case .email(let email):
                try Int64.fetchOne(
                    db, sql: "SELECT id FROM persons WHERE email = ?", arguments: [email])
            }
        guard let wanted else { throw APIError.notFound }
        if wanted != caller.person { throw APIError.forbidden }
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT p.email, p.display_name, p.quota, p.space_usage,
                    (SELECT r.id FROM roots r WHERE r.id = p.own_root_id AND r.is_deleted = 0)
                FROM persons p WHERE p.id = ?
                """, arguments: [wanted])
        guard let row else { throw APIError.notFound }
        var person = WirePerson(id: wanted, email: row[0])
        let name: String = row[1]
        person.username = ""
        person.companyID = 1
        person.displayName = name
        let names = name.split(separator: " ", maxSplits: 1)
        person.firstName = names.first.map(String.init) ?? ""
        person.lastName = names.count > 1 ? String(names[1]) : ""
        let quota: Int64 = row[2]
        let usage: Int64 = row[3]
        person.spaceQuota = LenientInteger(quota)
        person.spaceQuotaFormatted = ByteCount.format(quota)
        person.spaceUsage = LenientInteger(usage)
        person.spaceUsageFormatted = ByteCount.format(usage)
        person.rootID = row[4]
        person.roots = try roots()
        person.canShare = true
        person.companyPolicy = WirePolicy(behaviour)
        return person
    }

    /// The roots the caller is subscribed to.
    private func roots() throws -> [WireRoot] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT r.id, r.name, r.kind, r.space_used, f.lock_expires > ? FROM subscriptions s
                JOIN roots r ON r.id = s.root_id JOIN folders f ON f.id = -r.id
                WHERE s.person_id = ? AND r.is_deleted = 0 ORDER BY r.id
                """, arguments: [now, caller.person]
        ).map { row in
            var root = WireRoot(
                access: RootAccess(
                    id: row[0], name: row[1], kind: row[2], spaceUsed: row[3], permissions: []))
            root.isLocked = row[4] ?? false
            return root
        }
    }
}

extension WirePolicy {
    /// The policy as the server's switches make it.
    init(_ behaviour: ServerBehaviour) {
        self.init()
        companyID = 1
        excludedExtensions = behaviour.excludedExtensions.joined(separator: ",")
        lockedExtensions = ""
        maxFileSize = LenientInteger(behaviour.maximumFileSizeMB.map(Int64.init))
        userLockFiles = behaviour.userLockFiles
        userCreateShares = true
        userOverwriteCollisions = behaviour.uploadOntoName == .revision
        webdavEnabled = false
        trimRevisions = false
        purgeDeleted = false
        requireTwoStepAuth = false
    }
}
