import CloudStorage
import LeitzCloudAPI
import LeitzCloudClient
import LeitzCloudServer
import TestSupport
import Testing

@Suite struct MachineTests {
    /// The administrator with the machine of a sign-in, which has a file server.
    private func withServer(
        _ body: (TestCloud, LeitzCloudClient, Int64) async throws -> Void
    ) async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let machine = try #require(
                try await admin.machines(of: firstOrganization).all.first)
            try await admin.enableServer(onMachine: machine.id)
            try await cloud.server.reportFolders(
                machine: machine.id, [#"C:\Example\Inner"#, #"C:\Other"#, #"D:\"#])
            try await body(cloud, admin, machine.id)
        }
    }

    @Test func everySignInHasAMachine() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let bob = try await cloud.client(.bob)
            let machines = try await admin.machines(of: firstOrganization).all
            #expect(machines.count == 2)
            let his = try #require(machines.last)
            #expect(his.name == "ordner")
            #expect(his.system == "linux")
            #expect(his.kind == "agent")
            #expect(his.isServer == false)
            #expect(his.lastLogin != nil)
            #expect(try await bob.machine(his.id) == his)
            #expect(try await bob.status(ofMachine: his.id).subscriptions == [])
            let reader = try await cloud.client(.reader)
            await expectRefusal(.forbidden) { _ = try await reader.machine(his.id) }
            await expectRefusal(.notFound) { _ = try await admin.machine(999) }
            await expectRefusal(.forbidden) { try await bob.enableServer(onMachine: his.id) }
            await expectRefusal(.temporarilyUnavailable) {
                _ = try await admin.folders(onMachine: his.id)
            }
        }
    }

    @Test func phonesHaveNoStatus() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            var request = SignInRequest(
                address: try cloud.address, user: "bob@example.com",
                password: TestCloud.Person.bob.password)
            request.systemType = "android"
            _ = try await LeitzCloudSignIn.signIn(request, transport: cloud.transport())
            let phone = try #require(try await admin.machines(of: firstOrganization).all.last)
            #expect(phone.kind == "mobile")
            await expectRefusal(.temporarilyUnavailable) {
                _ = try await admin.status(ofMachine: phone.id)
            }
            #expect(cloud.server.requestCounts()["GET machine"] == 1)
        }
    }

    @Test func foldersOfAFileServerAreListed() async throws {
        try await withServer { cloud, admin, machine in
            #expect(try await admin.machine(machine).isServer == true)
            #expect(try await admin.folders(onMachine: machine) == ["C:", "D:"])
            #expect(
                try await admin.folders(onMachine: machine, below: MachinePath(#"C:\"#))
                    == ["Example", "Other"])
            #expect(
                try await admin.folders(onMachine: machine, below: MachinePath(#"C:\Example"#))
                    == ["Inner"])
            await expectRefusal(.notFound) {
                _ = try await admin.folders(onMachine: machine, below: MachinePath(#"C:\No"#))
            }
            await expectRefusal(.invalidRequest, "path") {
                _ = try await admin.folders(onMachine: machine, below: MachinePath("relative"))
            }
            try await admin.disableServer(onMachine: machine)
            await expectRefusal(.temporarilyUnavailable) {
                _ = try await admin.folders(onMachine: machine)
            }
        }
    }

    @Test func rootsAreMappedToFolders() async throws {
        try await withServer { cloud, admin, machine in
            let team = try #require(Int64(cloud.team.rawValue))
            let own = try #require(Int64(cloud.own.rawValue))
            let mapping = try await admin.createMapping(
                ofMachine: machine, root: team, at: MachinePath(#"C:\Team"#))
            #expect(mapping.name == "Team")
            #expect(mapping.isShare == true)
            #expect(mapping.personID == nil)
            let personal = try await admin.createMapping(
                ofMachine: machine, root: own, at: MachinePath("/srv/alice"))
            #expect(personal.personID == (try await admin.person().id))
            #expect(try await admin.mappings(ofMachine: machine) == [mapping, personal])
            #expect(try await admin.mapping(mapping.id, ofMachine: machine) == mapping)
            #expect(
                try await admin.folders(onMachine: machine, below: MachinePath("C:/"))
                    == ["Example", "Other", "Team"])
            await expectRefusal(.nameConflict) {
                _ = try await admin.createMapping(
                    ofMachine: machine, root: team, at: MachinePath(#"C:\Twice"#))
            }
            await expectRefusal(.notFound) {
                _ = try await admin.createMapping(
                    ofMachine: machine, root: .max, at: MachinePath(#"C:\Team"#))
            }
            let status = try await admin.status(ofMachine: machine)
            #expect(status.subscriptions?.map(\.folder) == [#"C:\Team"#, "/srv/alice"])
            try await admin.deleteMapping(mapping.id, ofMachine: machine)
            await expectRefusal(.notFound) {
                _ = try await admin.mapping(mapping.id, ofMachine: machine)
            }
            #expect(try await admin.mappings(ofMachine: machine) == [personal])
        }
    }

    @Test func aBackupIsARootAndComesBack() async throws {
        try await withServer { cloud, admin, machine in
            let backup = try await admin.createBackup(
                ofMachine: machine, from: MachinePath(#"C:\Example"#))
            #expect(backup.machineID == machine)
            #expect(backup.path == #"C:\Example"#)
            #expect(try await admin.backups(ofMachine: machine) == [backup])
            #expect(try await admin.backup(backup.id, ofMachine: machine) == backup)
            let root = try await admin.root(backup.id, ofOrganization: firstOrganization)
            #expect(root.rootType == "backup")
            #expect(root.name == "Example")
            let identifier = RootIdentifier(String(backup.id))
            let folder = try await admin.createFolder(name: "2026", in: .top(of: identifier))
            _ = try await admin.createFolder(name: "May", in: folder.reference)
            try await admin.put("data", size: 12, in: backup.id)
            let usage = try await admin.usage(ofOrganization: firstOrganization)
            #expect(usage.backups?.headSize == 12)

            _ = try await cloud.client(.alice)
            let other = try #require(try await admin.machines(of: firstOrganization).all.last)
            await expectRefusal(.temporarilyUnavailable, "no file server") {
                _ = try await admin.restoreBackup(
                    backup.id, ofMachine: machine, to: "/restored", onMachine: other.id)
            }
            await expectRefusal(.notFound) {
                _ = try await admin.restoreBackup(
                    backup.id, ofMachine: machine, to: "/restored", onMachine: 999)
            }
            try await admin.enableServer(onMachine: other.id)
            let restored = try await admin.restoreBackup(
                backup.id, ofMachine: machine, to: "/restored", onMachine: other.id)
            #expect(restored.path == "/restored")
            #expect(restored.machineID == other.id)
            #expect(
                try await admin.folders(onMachine: other.id, below: MachinePath("/restored/2026"))
                    == ["May"])
            try await admin.deleteBackup(backup.id, ofMachine: other.id)
            await expectRefusal(.rootDeleted) {
                _ = try await admin.root(backup.id, ofOrganization: firstOrganization)
            }
            #expect(try await admin.backups(ofMachine: other.id).isEmpty)
        }
    }

    @Test func thePolicyDecidesOnServersAndBackups() async throws {
        try await withServer { cloud, admin, machine in
            var policy = WirePolicy(fields: [:])
            policy.fileServerEnabled = false
            policy.backupsEnabled = false
            _ = try await admin.updatePolicy(of: firstOrganization, policy)
            await expectRefusal(.forbidden) {
                _ = try await admin.createBackup(ofMachine: machine, from: MachinePath("/a"))
            }
            await expectRefusal(.forbidden) { try await admin.enableServer(onMachine: machine) }
        }
    }

    /// `admin_browse_remote` of the policy.
    @Test func anOrganizationsAdministratorLooksAtDisksWhereThePolicyAllowsIt() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let organization = try await admin.makeOrganization("widgets").id
            _ = try await admin.makePerson("site@example.com", in: organization) {
                $0.isSiteAdministrator = true
            }
            let site = try await cloud.client(user: "site@example.com", password: "pw")
            let machine = try #require(try await admin.machines(of: organization).all.first).id
            try await site.enableServer(onMachine: machine)
            try await cloud.server.reportFolders(machine: machine, ["/srv"])
            #expect(try await site.folders(onMachine: machine) == ["/"])
            var policy = WirePolicy(fields: [:])
            policy.fields["admin_browse_remote"] = .flag(false)
            _ = try await admin.updatePolicy(of: organization, policy)
            await expectRefusal(.forbidden) { _ = try await site.folders(onMachine: machine) }
            #expect(try await admin.folders(onMachine: machine) == ["/"])
        }
    }

    @Test func whatHappensIsRecorded() async throws {
        try await TestCloud.with { cloud in
            let admin = try await cloud.administrator()
            let me = try await admin.person()
            let bob = try await cloud.client(.bob)
            let bobsID = try await bob.person().id
            let team = try #require(Int64(cloud.team.rawValue))
            let file = try await bob.put("a.txt", in: team)
            try await bob.delete(file.reference)
            let group = try await admin.createGroup("G", in: firstOrganization)

            let types = try await admin.activityTypes()
            #expect(types.first { $0.id == 3 }?.activity == "added organization")
            func name(_ activity: WireActivity) -> String {
                types.first { $0.id == activity.kindID }?.activity ?? ""
            }
            let all = try await admin.activity(ofOrganization: firstOrganization).all
            #expect(
                all.prefix(3).map(name) == ["added group", "deleted", "uploaded file"])
            let added = try #require(all.first)
            #expect(added.actorPersonID == me.id)
            #expect(added.actorMachineID != nil)
            #expect(added.actedOnType == "group")
            #expect(added.actedOnGroupID == group.id)
            #expect(added.actedOnRootID == nil)
            #expect(try await admin.activity(added.id) == added)
            let his = try await bob.activity(ofPerson: bobsID).all
            #expect(
                his.map(name) == ["deleted", "uploaded file", "signed in", "added machine"])
            #expect(his.first?.data == "/a.txt")
            #expect(his.first?.actedOnRootID == team)
            #expect(try await bob.activity(his[0].id) == his[0])
            await expectRefusal(.forbidden) { _ = try await bob.activity(added.id) }
            await expectRefusal(.forbidden) {
                _ = try await bob.activity(ofOrganization: firstOrganization).all
            }
            await expectRefusal(.notFound) { _ = try await admin.activity(1 << 40) }

            var request = ActivityRequest()
            request.person = bobsID
            request.subject = "Bob"
            request.data = "got a new chair"
            let made = try await admin.createActivity(request)
            #expect(made.actedOnPersonID == bobsID)
            #expect(made.actedOnType == "person")
            #expect(made.data == "got a new chair")
            #expect(try await bob.activity(ofPerson: bobsID).all.first == made)
            await expectRefusal(.forbidden) { _ = try await bob.createActivity(request) }
        }
    }
}
