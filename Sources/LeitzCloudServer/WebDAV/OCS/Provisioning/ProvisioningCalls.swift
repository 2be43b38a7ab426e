import HTTPTypes
import HummingbirdCore

/// The provisioning calls of OCS: version 1 with the codes of ownCloud's document, version 2 with
/// Nextcloud's (Leviia's page, FACTS part 4), over the persons and groups of the database.
struct ProvisioningCalls: Sendable {
    let services: CloudServices
    let context: CallContext
    /// 1 or 2.
    let version: Int
    /// The person who calls.
    let caller: Int64

    func run(_ route: Route, _ request: Request) async throws -> OCSValue {
        let arguments = try await ProvisioningArguments(request)
        switch (route, request.method) {
        case (.users, .get):
            let page = try Page(arguments)
            return try await read { .object([("users", .texts(try $0.users(page)))]) }
        case (.users, .post): return try await createUser(arguments)
        case (.user(let name), .get):
            return try await read { try $0.description(of: try $0.visibleUser(name)) }
        case (.user(let name), .put): return try await edit(name, arguments)
        case (.user(let name), .delete): return try await write { try $0.deleteUser(name) }
        case (.isEnabled(let name, let isEnabled), .put):
            return try await write { try $0.setEnabled(name, isEnabled) }
        case (.groupsOf(let name), .get):
            return try await read { .object([("groups", .texts(try $0.groups(of: name)))]) }
        case (.groupsOf(let name), .post):
            return try await write { try $0.join(name, arguments["groupid"]) }
        case (.groupsOf(let name), .delete):
            return try await write { try $0.leave(name, arguments["groupid"]) }
        case (.subadministratorOf(let name), .get):
            return try await read { .texts(try $0.administeredGroups(ofUser: name)) }
        case (.subadministratorOf(let name), .post):
            return try await write { try $0.addSubadministrator(name, arguments["groupid"]) }
        case (.subadministratorOf(let name), .delete):
            return try await write { try $0.removeSubadministrator(name, arguments["groupid"]) }
        case (.groups, .get):
            let page = try Page(arguments)
            return try await read { .object([("groups", .texts(try $0.groups(page)))]) }
        case (.groups, .post):
            return try await write { try $0.createGroup(arguments["groupid"] ?? "") }
        // The document's example asks with POST what its text asks with GET.
        case (.group(let name), .get), (.group(let name), .post):
            return try await read { .object([("users", .texts(try $0.members(of: name)))]) }
        case (.group(let name), .delete): return try await write { try $0.deleteGroup(name) }
        case (.subadministrators(let group), .get):
            return try await read { .texts(try $0.subadministrators(of: group)) }
        default: return try await runApps(route, request.method, arguments)
        }
    }

    private func runApps(
        _ route: Route, _ method: HTTPRequest.Method, _ arguments: ProvisioningArguments
    ) async throws -> OCSValue {
        switch (route, method) {
        case (.apps, .get):
            return try await read {
                .object([("apps", .texts(try $0.apps(arguments["filter"])))])
            }
        case (.app(let id), .get): return try await read { try $0.app(id) }
        case (.app(let id), .post): return try await write { try $0.setEnabled(app: id, true) }
        case (.app(let id), .delete): return try await write { try $0.setEnabled(app: id, false) }
        default:
            // As PHP's servers answer a method that a path does not have.
            throw version == 2 ? OCSRefusal(405, "Method not allowed") : OCSRefusal(998)
        }
    }

    // MARK: Passwords: their hash takes longer than a write may

    private func createUser(_ arguments: ProvisioningArguments) async throws -> OCSValue {
        let user = try NewPerson(arguments, version: version)
        try await read { try $0.requireRight(toCreate: user) }
        let generated = user.password == nil ? TokenHash.random(bytes: 8) : nil
        let record = try await services.passwords.record(
            for: user.password ?? generated ?? TokenHash.random())
        return try await write { directory -> OCSValue in
            try directory.create(user, passwordRecord: record, invitation: generated)
        }
    }

    private func edit(
        _ name: String, _ arguments: ProvisioningArguments
    ) async throws -> OCSValue {
        let changes = try PersonEdit.edits(arguments, version: version)
        try await read { directory in
            let user = try directory.editableUser(name)
            for change in changes { try directory.requireRight(to: change, user) }
        }
        var records: [String] = []
        for case .password(let password) in changes where !password.isEmpty {
            records.append(try await services.passwords.record(for: password))
        }
        let record = records.first
        return try await write { directory -> Void in
            for change in changes { try directory.edit(name, change, passwordRecord: record) }
        }
    }

    // MARK: The database

    @discardableResult
    private func read<Value: Sendable>(
        _ body: @escaping @Sendable (ProvisioningDirectory) throws -> Value
    ) async throws -> Value {
        let (caller, version, context) = (caller, version, context)
        return try await services.database.read { db in
            try body(ProvisioningDirectory(db, caller: caller, version: version, context))
        }
    }

    private func write(
        _ body: @escaping @Sendable (ProvisioningDirectory) throws -> Void
    ) async throws -> OCSValue {
        try await write { directory -> OCSValue in
            try body(directory)
            return .list([])
        }
    }

    private func write(
        _ body: @escaping @Sendable (ProvisioningDirectory) throws -> OCSValue
    ) async throws -> OCSValue {
        let (caller, version, context) = (caller, version, context)
        let value = try await services.database.write { db in
            try body(ProvisioningDirectory(db, caller: caller, version: version, context))
        }
        services.outbox.send(context.letters)
        return value
    }

    /// Which part of a list is asked for.
    struct Page: Sendable {
        var search: String
        /// -1 for all.
        var limit: Int
        var offset: Int

        init(_ arguments: ProvisioningArguments) throws(OCSRefusal) {
            search = arguments["search"] ?? ""
            limit = try arguments.number("limit") ?? -1
            offset = try arguments.number("offset") ?? 0
        }

        /// For `LIKE … ESCAPE '\'`.
        var pattern: String {
            var pattern = "%"
            for character in search {
                if character == "%" || character == "_" || character == "\\" { pattern += "\\" }
                pattern.append(character)
            }
            return pattern + "%"
        }
    }
}
