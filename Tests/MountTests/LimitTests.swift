import CloudStorage
import LeitzCloudServer
import TestSupport
import Testing

/// Quota and policy that change while content waits to be sent: it stays here, is shown with the
/// reason, and goes up when it may.
@Suite(.serialized) struct LimitTests {
    /// Writes files while the server takes none, changes what it allows, and lets it take them.
    private func keepsWhatIsRefused(
        _ mounted: MountedCloud, _ name: String, forbid: () async throws -> Void,
        allow: () async throws -> Void
    ) async throws {
        let uploads = FaultRule(
            .status(code: 503, error: "temporarily_unavailable", retryAfter: nil),
            routeKind: "upload", times: nil)
        try await mounted.shell("mkdir d; echo first > d/first")
        try await mounted.sync()
        mounted.cloud.server.faults.add(uploads)
        try await mounted.shell(
            "head -c 3000000 /dev/urandom > $W/big; cp $W/big d/\(name); echo more > d/small")
        try await forbid()
        mounted.cloud.server.faults.removeAll()

        let refused = try await mounted.home.run("sync", mounted.point)
        #expect(refused.exitCode == 1)
        #expect((refused.output + refused.error).contains(name))
        let status = try await mounted.status()
        #expect(status.unsentNames == [name])
        #expect(status.unsent.allSatisfy { $0.error != nil })
        try await mounted.shell("cmp $W/big d/\(name); cat d/small d/first")
        let bob = try await mounted.cloud.client(.bob)
        let folder = try #require(try await bob.entries(of: .top(of: mounted.cloud.team))["d"])
        #expect(try await bob.entries(of: folder.reference)[name] == nil)

        // Nothing is lost by a crash in that state either.
        await mounted.killDriver()
        try await mounted.clearDeadMount()
        try await mounted.mount()
        try await mounted.shell("cmp $W/big d/\(name)")
        try await allow()
        try await mounted.sync()
        let entries = try await bob.entries(of: folder.reference)
        #expect(entries.keys.sorted() == ["first", name, "small"].sorted())
        #expect(entries[name]?.size == 3_000_000)
        let path = mounted.home.path + "/remote"
        _ = try await RemoteTree.download(bob, folder.reference, to: path)
        try await mounted.atHome("cmp big remote/\(name)")
    }

    @Test(arguments: behaviours)
    func aQuotaThatHasBecomeTooSmall(_ behaviour: ServerBehaviour) async throws {
        try await MountedCloud.with(behaviour, options: ["--sync=none", "--poll", "1"]) {
            (mounted) async throws -> Void in
            try await keepsWhatIsRefused(
                mounted, "large",
                forbid: { try await mounted.cloud.setQuota(.alice, bytes: 1_000_000) },
                allow: { try await mounted.cloud.setQuota(.alice, bytes: 1 << 31) })
            // Known beforehand, it is told to the program that writes.
            try await mounted.cloud.setQuota(.alice, bytes: 4 << 20)
            try await eventually(within: .seconds(60), "the smaller quota") {
                try await mounted.attempt("df --output=size -B1 . | tail -1").output
                    .contains(String(4 << 20))
            }
            let said = try await mounted.python(
                """
                def fill():
                    with open("another", "wb") as file: file.write(bytes(3 << 20))
                print(word(fill))
                """)
            #expect(said == "EDQUOT")
        }
    }

    @Test(arguments: behaviours)
    func anExtensionThatHasBeenExcluded(_ behaviour: ServerBehaviour) async throws {
        var stricter = behaviour
        stricter.excludedExtensions = [".mdb"]
        let excluding = stricter
        try await MountedCloud.with(behaviour, options: ["--sync=none"]) {
            (mounted) async throws -> Void in
            try await keepsWhatIsRefused(
                mounted, "base.mdb",
                forbid: { mounted.cloud.server.setBehaviour(excluding) },
                allow: { mounted.cloud.server.setBehaviour(behaviour) })
        }
    }
}
