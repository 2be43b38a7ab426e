import CloudStorage
import HTTPTransport
import LeitzCloudServer
import TestSupport
import Testing

@testable import ProvisioningClient

/// The client against the embedded cloud, in both versions of OCS.
@Suite struct EmbeddedCloudTests {
    private func kind(
        _ body: () async throws(ProvisioningError) -> Void
    ) async -> ProvisioningError.Kind? {
        do throws(ProvisioningError) {
            try await body()
            return nil
        } catch {
            return error.kind
        }
    }

    /// Expects a call to be refused for a reason.
    private func refused(
        _ expected: ProvisioningError.Kind, at location: SourceLocation = #_sourceLocation,
        _ body: () async throws(ProvisioningError) -> Void
    ) async {
        let found = await kind(body)
        #expect(found == expected, sourceLocation: location)
    }

    private func frank() -> NewUser {
        var user = NewUser(id: "Frank")
        user.password = "franks password"
        user.email = "frank@example.org"
        user.displayName = "Frank N. Stein"
        user.groups = ["team"]
        user.quota = .bytes(5 << 30)
        return user
    }

    @Test(arguments: ProvisioningDialect.allCases)
    func theLifeOfAUser(_ dialect: ProvisioningDialect) async throws {
        try await EmbeddedScene.with { scene in
            let client = try scene.client(dialect)
            try await client.createGroup("team")
            try await client.createUser(frank())
            let user = try await client.user("Frank")
            #expect(user.displayName == "Frank N. Stein")
            #expect(user.email == "frank@example.org")
            #expect(user.quota?.limit == .bytes(5 << 30))
            #expect(user.isEnabled == true)
            #expect(try await client.groups(of: "Frank") == ["team"])
            #expect(try await client.members(of: "team") == ["Frank"])
            #expect(
                try await scene.signInStatus(user: "Frank", password: "franks password") == 207)

            var changes = UserChanges()
            changes.email = "new@example.org"
            changes.displayName = "Frank"
            changes.quota = .unlimited
            changes.password = "another password"
            changes.groups = ["admin"]
            changes.isEnabled = true
            try await client.update("Frank", changes)
            let changed = try await client.user("Frank")
            #expect(changed.email == "new@example.org")
            #expect(changed.displayName == "Frank")
            #expect(changed.quota?.limit == (dialect == .nextcloud ? .unlimited : .standard))
            #expect(try await client.groups(of: "Frank") == ["admin"])
            #expect(
                try await scene.signInStatus(user: "Frank", password: "franks password") == 401)
            #expect(
                try await scene.signInStatus(user: "Frank", password: "another password") == 207)
            // Now an administrator too.
            let other = try scene.client(dialect, user: "Frank", password: "another password")
            #expect(try await other.users() == [EmbeddedScene.administrator, "Frank"])
            try await client.setEnabled("Frank", false)
            #expect(try await client.user("Frank").isEnabled == false)
            #expect(
                try await scene.signInStatus(user: "Frank", password: "another password") == 401)
            try await client.deleteUser("Frank")
            #expect(try await client.users() == [EmbeddedScene.administrator])
            // Name and address are free again.
            var again = frank()
            again.email = "new@example.org"
            try await client.createUser(again)
        }
    }

    @Test(arguments: ProvisioningDialect.allCases)
    func refusalsHaveTheirReasons(_ dialect: ProvisioningDialect) async throws {
        try await EmbeddedScene.with { scene in
            let client = try scene.client(dialect)
            try await client.createGroup("team")
            try await client.createUser(frank())
            let user = frank()
            await refused(.userExists) { () throws(ProvisioningError) in
                try await client.createUser(user)
            }
            await refused(.noSuchUser) { () throws(ProvisioningError) in
                _ = try await client.user("x")
            }
            await refused(.noSuchUser) { () throws(ProvisioningError) in
                _ = try await client.groups(of: "x")
            }
            await refused(.noSuchUser) { () throws(ProvisioningError) in
                try await client.edit("x", .email("a@b.c"))
            }
            await refused(.invalidInput) { () throws(ProvisioningError) in
                try await client.edit("Frank", .email("nonsense"))
            }
            await refused(.noSuchUser) { () throws(ProvisioningError) in
                try await client.add("x", to: "team")
            }
            await refused(.noSuchGroup) { () throws(ProvisioningError) in
                try await client.add("Frank", to: "x")
            }
            await refused(.groupNeeded) { () throws(ProvisioningError) in
                try await client.remove("Frank", from: "")
            }
            await refused(.groupExists) { () throws(ProvisioningError) in
                try await client.createGroup("team")
            }
            await refused(.groupExists) { () throws(ProvisioningError) in
                try await client.createGroup("admin")
            }
            await refused(.invalidInput) { () throws(ProvisioningError) in
                try await client.createGroup("")
            }
            await refused(.noSuchGroup) { () throws(ProvisioningError) in
                _ = try await client.members(of: "x")
            }
            await refused(.noSuchGroup) { () throws(ProvisioningError) in
                try await client.deleteGroup("x")
            }
            await refused(.refused) { () throws(ProvisioningError) in
                try await client.deleteGroup("admin")
            }
            await refused(.noSuchUser) { () throws(ProvisioningError) in
                try await client.makeSubadministrator("x", of: "team")
            }
            await refused(.noSuchGroup) { () throws(ProvisioningError) in
                try await client.makeSubadministrator("Frank", of: "x")
            }
            await refused(.refused) { () throws(ProvisioningError) in
                try await client.makeSubadministrator("Frank", of: "admin")
            }
            await refused(.notSubadministrator) { () throws(ProvisioningError) in
                try await client.removeSubadministrator("Frank", of: "team")
            }
            await refused(.noSuchApp) { () throws(ProvisioningError) in
                _ = try await client.app("x")
            }
            await refused(.refused) { () throws(ProvisioningError) in
                try await client.deleteUser(EmbeddedScene.administrator)
            }
        }
    }

    /// Who administers a group sees and makes its users, and nobody else.
    @Test(arguments: ProvisioningDialect.allCases)
    func aSubadministratorHasTheOwnGroups(_ dialect: ProvisioningDialect) async throws {
        try await EmbeddedScene.with { scene in
            let client = try scene.client(dialect)
            try await client.createGroup("team")
            try await client.createGroup("others")
            try await client.createUser(frank())
            try await client.makeSubadministrator("Frank", of: "team")
            #expect(try await client.administeredGroups(of: "Frank") == ["team"])
            #expect(try await client.subadministrators(of: "team") == ["Frank"])
            let sub = try scene.client(dialect, user: "Frank", password: "franks password")
            #expect(try await sub.users() == ["Frank"])
            #expect(try await sub.groups() == ["team"])
            var user = NewUser(id: "new")
            user.password = "password of new"
            let groupless = user
            user.groups = ["others"]
            let misplaced = user
            user.groups = ["team"]
            await refused(.groupNeeded) { () throws(ProvisioningError) in
                try await sub.createUser(groupless)
            }
            await refused(.forbidden) { () throws(ProvisioningError) in
                try await sub.createUser(misplaced)
            }
            try await sub.createUser(user)
            #expect(try await sub.users() == ["Frank", "new"])
            await refused(.forbidden) { () throws(ProvisioningError) in
                _ = try await sub.user(EmbeddedScene.administrator)
            }
            await refused(.forbidden) { () throws(ProvisioningError) in
                try await sub.add("new", to: "others")
            }
            await refused(.forbidden) { () throws(ProvisioningError) in
                try await sub.createGroup("more")
            }
            await refused(.forbidden) { () throws(ProvisioningError) in
                _ = try await sub.apps()
            }
            // Somebody without any rights.
            let plain = try scene.client(dialect, user: "new", password: "password of new")
            let own = try await plain.user("new")
            #expect(own.displayName == "new")
            await refused(.forbidden) { () throws(ProvisioningError) in _ = try await plain.users()
            }
            await refused(.forbidden) { () throws(ProvisioningError) in
                try await plain.edit("new", .quota(.unlimited))
            }
            try await plain.edit("new", .displayName("New"))
        }
    }

    @Test func rulesOfVersionTwo() async throws {
        try await EmbeddedScene.with { scene in
            let client = try scene.client(.nextcloud)
            let empty = NewUser(id: "a")
            var short = empty
            short.password = "short"
            var lost = empty
            lost.password = "long enough to be one"
            lost.groups = ["nowhere"]
            var odd = lost
            odd.id = "a/b"
            odd.groups = []
            let cases: [(NewUser, ProvisioningError.Kind)] = [
                (empty, .passwordOrEmailNeeded), (short, .passwordRefused),
                (lost, .noSuchGroup), (odd, .invalidInput),
            ]
            for (user, expected) in cases {
                await refused(expected) { () throws(ProvisioningError) in
                    try await client.createUser(user)
                }
            }
            // None of them was made.
            let users = try await client.users()
            #expect(users == [EmbeddedScene.administrator])
        }
    }

    @Test func listsComeInPagesAndAreSearched() async throws {
        try await EmbeddedScene.with { scene in
            let client = try scene.client(.nextcloud)
            for index in 0..<25 { try await client.createGroup("g\(index % 5)_\(index)") }
            var all: [String] = []
            for try await group in client.allGroups(pageSize: 10) { all.append(group) }
            #expect(all.count == 26)
            #expect(Set(all).count == 26)
            // `_` is no wildcard.
            #expect(try await client.groups(search: "g0_").count == 5)
            #expect(try await client.groups(search: "%").isEmpty)
        }
    }

    @Test func appsAreTurnedOnAndOff() async throws {
        try await EmbeddedScene.with { scene in
            for dialect in ProvisioningDialect.allCases {
                let client = try scene.client(dialect)
                #expect(try await client.apps(.disabled) == ["files_texteditor"])
                try await client.setEnabled(app: "files_texteditor", true)
                #expect(try await client.apps(.disabled) == [])
                #expect(try await client.apps() == (try await client.apps(.enabled)))
                try await client.setEnabled(app: "files_texteditor", false)
                let files = try await client.app("files")
                #expect(files.remote["webdav"] == "appinfo/remote.php")
                #expect(files.types == ["filesystem"])
                #expect(files.isShipped == true)
            }
        }
    }
}
