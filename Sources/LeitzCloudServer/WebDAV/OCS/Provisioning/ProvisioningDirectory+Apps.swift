import GRDB

/// The apps of the server: names that can be turned on and off, since all it does is built in.
extension ProvisioningDirectory {
    private struct App: Sendable {
        var id: String
        var name: String
        var description: String
        var author: String
        var types: [String] = []
        var remote: [(String, String)] = []
        /// Without it there is no server, so that it can't be turned off.
        var isNeeded = false
    }

    /// The app `files` is described as in ownCloud's document.
    private static let all = [
        App(
            id: "files", name: "Files", description: "File Management",
            author: "Robin Appelman", types: ["filesystem"],
            remote: [
                ("files", "appinfo/remote.php"), ("webdav", "appinfo/remote.php"),
                ("filesync", "appinfo/filesync.php"),
            ], isNeeded: true),
        App(
            id: "files_texteditor", name: "Text Editor", description: "Editing of text files",
            author: "Tom Needham"),
        App(
            id: "provisioning_api", name: "Provisioning API",
            description: "Users, groups and apps for administrators", author: "Tom Needham",
            isNeeded: true),
    ]

    private static func setting(_ app: String) -> String { "ocs_app." + app }

    private func isEnabled(_ app: App) throws -> Bool {
        if app.isNeeded { return true }
        let value = try String.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT value FROM organization_settings
                    WHERE organization_id = ? AND name = ?
                    """), arguments: [organization, Self.setting(app.id)])
        return value == "true"
    }

    /// - Parameter filter: `enabled`, `disabled`, or nil for all.
    func apps(_ filter: String?) throws -> [String] {
        try requireAdministrator()
        guard [nil, "", "enabled", "disabled"].contains(filter) else {
            throw OCSRefusal(101)
        }
        return try Self.all.filter { app in
            guard let filter, !filter.isEmpty else { return true }
            return try isEnabled(app) == (filter == "enabled")
        }.map(\.id)
    }

    private func known(_ id: String) throws(OCSRefusal) -> App {
        guard let app = Self.all.first(where: { $0.id == id }) else {
            throw OCSRefusal(998, "The request app was not found")
        }
        return app
    }

    func app(_ id: String) throws -> OCSValue {
        try requireAdministrator()
        let app = try known(id)
        return .object([
            ("info", .list([])), ("remote", .object(app.remote.map { ($0.0, .text($0.1)) })),
            ("public", .list([])), ("id", .text(app.id)), ("name", .text(app.name)),
            ("description", .text(app.description)), ("licence", .text("AGPL")),
            ("author", .text(app.author)), ("require", .text("4.9")),
            ("shipped", .text("true")), ("standalone", .text("")),
            ("default_enable", .text("")), ("types", .texts(app.types)),
        ])
    }

    func setEnabled(app id: String, _ isEnabled: Bool) throws {
        try requireAdministrator()
        let app = try known(id)
        guard isEnabled || !app.isNeeded else {
            throw OCSRefusal(998, "The app \(id) can't be disabled")
        }
        try db.execute(
            sql: """
                INSERT INTO organization_settings (organization_id, name, value) VALUES (?, ?, ?)
                ON CONFLICT DO UPDATE SET value = excluded.value
                """,
            arguments: [organization, Self.setting(id), isEnabled ? "true" : "false"])
    }
}
