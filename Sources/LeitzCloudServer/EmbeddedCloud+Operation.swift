import GRDB

/// What the operator of the server does beside its API; every change is durable when the call
/// returns.
extension EmbeddedCloud {
    /// A message that the server would send by mail.
    package struct Message: Sendable, Hashable {
        package var recipient: String
        package var subject: String
        package var body: String
    }

    /// A directory server that an organization's users come from.
    package struct DirectoryServer: Sendable {
        package var host: String
        package var domain: String
        package var login: String
        package var port: Int64?
        package var usesTLS = false

        package init(host: String, domain: String, login: String) {
            self.host = host
            self.domain = domain
            self.login = login
        }
    }

    /// Makes a person an administrator of their organization, and of those below it, or ends that.
    package func setAdministrator(person: Int64, _ isAdministrator: Bool = true) async throws {
        try await services.database.write { db in
            try db.execute(
                sql: "UPDATE persons SET is_site_admin = ? WHERE id = ? AND is_deleted = 0",
                arguments: [isAdministrator, person])
            if db.changesCount == 0 { throw EmbeddedCloudError.noSuch("person \(person)") }
        }
    }

    /// What the agent of a machine reports: the folders on its disks, by full paths.
    package func reportFolders(machine: Int64, _ paths: [String]) async throws {
        let now = services.clock()
        try await services.database.write { db in
            try db.execute(
                sql: "UPDATE machines SET last_seen = ? WHERE id = ?", arguments: [now, machine])
            if db.changesCount == 0 { throw EmbeddedCloudError.noSuch("machine \(machine)") }
            try MachineFolders.replace(db, machine: machine, paths: paths)
        }
    }

    /// The answer of a person of another organization who was invited to a share.
    package func answerInvitation(email: String, root: Int64, accepts: Bool) async throws {
        try await services.database.write { db in
            try db.execute(
                sql: """
                    UPDATE external_subscribers SET state = ? WHERE root_id = ?
                    AND person_id = (SELECT id FROM persons WHERE email = ?)
                    """, arguments: [accepts ? "accepted" : "declined", root, email])
            if db.changesCount == 0 { throw EmbeddedCloudError.noSuch("invitation of \(email)") }
            try Subscriptions.refresh(db, root: root)
        }
    }

    /// Names a directory server for an organization; gives its number.
    package func addDirectoryServer(_ server: DirectoryServer, organization: Int64) async throws
        -> Int64
    {
        try await services.database.write { db in
            try db.execute(
                sql: """
                    INSERT INTO auth_sources (organization_id, host, domain, login, port, is_ssl)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    organization, server.host, server.domain, server.login, server.port,
                    server.usesTLS,
                ])
            return db.lastInsertedRowID
        }
    }

    /// Makes groups of the first organization, by the database alone: for tests and measurements of
    /// long lists.
    package func addGroups(_ names: [String]) async throws {
        let now = services.clock()
        try await services.database.write { db in
            for name in names {
                try db.execute(
                    sql: "INSERT INTO groups (organization_id, name, created) VALUES (?, ?, ?)",
                    arguments: [Schema.firstOrganization, name, now])
            }
        }
    }

    /// Makes persons of the first organization who can't sign in, by the database alone: for
    /// tests and measurements of long lists.
    package func addPersons(_ emails: [String]) async throws {
        let now = services.clock()
        try await services.database.write { db in
            for email in emails {
                try db.execute(
                    sql: """
                        INSERT INTO persons (email, password, display_name, quota, created,
                        is_active) VALUES (?, '', ?, 0, ?, 0)
                        """, arguments: [email, email, now])
            }
        }
    }

    /// The messages that nobody has sent, the newest thousand since the start, in their order.
    package var messages: [Message] { services.outbox.messages }
}
