import CloudStorage
import Foundation
import LeitzCloudServer
import TestSupport
import Testing

/// `cp` inside a mount, of what the server can copy by itself.
@Suite(.serialized) struct ServerCopyTests {
    private static let clouds: [CloudKind] = [.nextcloud, .webDAV(.apache)]
    private static let size = 8 << 20
    /// What another client does is not heard of before it is looked for.
    private static let options = ["--sync=none", "--poll", "3600"]

    /// A mount on which `big`, which another client has stored, was never read.
    private static func with(
        _ kind: CloudKind, _ body: (CopyScene) async throws -> Void
    ) async throws {
        try await MountedCloud.with(kind, options: options) { mounted in
            let scene = CopyScene(
                mounted: mounted, bob: try await mounted.bob(),
                folder: "mount/" + mounted.server.teamPath)
            if mounted.server is NextcloudFace {
                var behaviour = ServerBehaviour()
                behaviour.uploadOntoName = .revision
                mounted.cloud.server.setBehaviour(behaviour)
            }
            try await scene.store("big")
            try await mounted.unmount()
            try await mounted.mount()
            try await eventually(within: .seconds(30), "the other client's file") {
                try await scene.attempt("ls -l big").exitCode == 0
            }
            try await body(scene)
        }
    }

    @Test(arguments: clouds)
    func anUncachedFileIsNotTransferred(_ kind: CloudKind) async throws {
        try await Self.with(kind) { scene in
            let before = try scene.transfers()
            try await scene.run("cp big big2; mkdir d; cp -p big d/big3")
            let after = try scene.transfers()
            #expect(after.downloads == before.downloads)
            #expect(after.uploads == before.uploads)
            #expect(after.copies == before.copies + 2)
            // The server has it when `cp` ends.
            let there = try await scene.bob.entries(of: scene.mounted.server.top)["big2"]
            #expect(there?.size == Int64(Self.size))
            try await scene.mounted.sync()
            #expect(try scene.transfers().uploads == before.uploads)
            try await scene.mounted.downloadAll()
            try await scene.mounted.atHome(
                """
                cmp stored/big remote/big2; cmp stored/big remote/d/big3
                [ "$(cd remote; find . -type f | wc -l)" = 3 ]
                """)
            try await scene.run("echo more >> big2; rm d/big3")
            try await scene.mounted.unmount()
            try await scene.mounted.atHome("rm -rf cache; cp stored/big more; echo more >> more")
            try await scene.mounted.mount()
            try await scene.run("cmp big2 $W/more; cmp big $W/stored/big; [ ! -e d/big3 ]")
        }
    }

    @Test(arguments: clouds)
    func aCachedFileIsNotUploaded(_ kind: CloudKind) async throws {
        try await Self.with(kind) { scene in
            try await scene.run("cat big > $W/seen")
            let before = try scene.transfers()
            try await scene.run("cp big big2; cmp big2 $W/seen")
            try await scene.mounted.sync()
            let after = try scene.transfers()
            #expect(after.downloads == before.downloads)
            #expect(after.uploads == before.uploads)
            #expect(after.copies == before.copies + 1)
            try await scene.mounted.downloadAll()
            try await scene.mounted.atHome("cmp stored/big remote/big; cmp stored/big remote/big2")
        }
    }

    /// Another client has replaced the file by one of the same size: the copy is of one of the two.
    @Test(arguments: clouds)
    func aChangedSourceIsNeverMixed(_ kind: CloudKind) async throws {
        try await Self.with(kind) { scene in
            try await scene.mounted.atHome("mv stored/big old")
            try await scene.store("big")
            let first = try await scene.attempt("cp big big2")
            if first.exitCode == 0 {
                try await scene.run("cmp big2 $W/old || cmp big2 $W/stored/big")
            }
            try await eventually(within: .seconds(30), "a copy of the new version") {
                try await scene.attempt("cp big big3 && cmp big3 $W/stored/big").exitCode == 0
            }
            try await scene.mounted.sync()
            try await scene.mounted.downloadAll()
            try await scene.mounted.atHome(
                "cmp remote/big3 stored/big; [ -z \"$(find remote -name '.ordner*')\" ]")
        }
    }

    /// A copy onto a file that is there is the next content of that file: the server would delete
    /// it first, with its number and versions.
    @Test(arguments: clouds)
    func aCopyOntoAFileIsItsNextContent(_ kind: CloudKind) async throws {
        try await Self.with(kind) { scene in
            try await scene.run("echo old > there; cp there before")
            try await scene.mounted.sync()
            let old = try await scene.bob.entries(of: scene.mounted.server.top)["there"]
            let number = try await scene.attempt("stat -c %i there").output
            let before = try scene.transfers()
            // Not read here so far, then complete in the cache.
            try await scene.run("cp big there; cmp big there")
            try await scene.mounted.sync()
            try await scene.run("cp big before; cmp big before")
            try await scene.mounted.sync()
            let after = try scene.transfers()
            #expect(after.copies == before.copies)
            // One may have been cut off and sent again.
            #expect(after.uploads >= before.uploads + 2)
            #expect(try await scene.attempt("stat -c %i there").output == number)
            let now = try await scene.bob.entries(of: scene.mounted.server.top)["there"]
            #expect(now?.reference.id == old?.reference.id)
            try await scene.mounted.downloadAll()
            try await scene.mounted.atHome(
                "cmp stored/big remote/there; cmp stored/big remote/before")
        }
    }

    /// Parts of files, at other places than they had, and within one file: read and written.
    @Test(arguments: clouds)
    func partsOfFilesAreReadAndWritten(_ kind: CloudKind) async throws {
        try await Self.with(kind) { scene in
            let program = """
                import os, sys
                def copy(source, at, target, to, count):
                    a, b = os.open(source, os.O_RDONLY), os.open(target, os.O_RDWR | os.O_CREAT)
                    while count > 0:
                        done = os.copy_file_range(a, b, count, at, to)
                        if done == 0: break
                        at, to, count = at + done, to + done, count - done
                    os.close(b)
                    os.close(a)
                copy(sys.argv[1], 1, 'head', 0, 3_000_001)
                copy(sys.argv[1], 0, 'shifted', 4097, 1 << 30)
                copy(sys.argv[1], 7 << 20, 'tail', 0, 1 << 30)
                copy('edited', 0, 'edited', 5 << 20, 1 << 20)
                """
            try await scene.mounted.atHome("cat > parts.py <<'END'\n\(program)\nEND")
            let before = try scene.transfers()
            try await scene.run("dd if=big of=edited bs=1M status=none; python3 $W/parts.py big")
            try await scene.mounted.sync()
            #expect(try scene.transfers().copies == before.copies)
            try await scene.mounted.atHome(
                """
                mkdir expected; cp stored/big expected/edited
                (cd expected; python3 ../parts.py ../stored/big)
                """)
            try await scene.run("for f in head shifted tail edited; do cmp $f $W/expected/$f; done")
            try await scene.mounted.downloadAll()
            try await scene.mounted.atHome(
                "for f in head shifted tail edited; do cmp remote/$f expected/$f; done")
        }
    }

    /// The server's answer is lost, or the driver killed while the server copies: the copy is whole,
    /// or not there.
    @Test func aCopyIsWholeOrNotThere() async throws {
        try await Self.with(.nextcloud) { scene in
            let mounted = scene.mounted
            let server = mounted.cloud.server
            server.faults.add(FaultRule(.loseAnswer, method: "COPY"))
            let before = try scene.transfers()
            try await scene.run("cp big big2")
            #expect(try scene.transfers().uploads == before.uploads)
            #expect(try scene.transfers().downloads == before.downloads)
            server.faults.add(FaultRule(.delay(seconds: 3), method: "COPY"))
            try await mounted.atHome(
                "(cp \(scene.folder)/big \(scene.folder)/big3 2>/dev/null &) 2>/dev/null")
            try await eventually("the next copy") {
                try scene.transfers().copies == before.copies + 2
            }
            await mounted.killDriver()
            try await mounted.clearDeadMount()
            try await mounted.mount()
            try await scene.run("[ ! -e big3 ]")
            try await eventually(within: .seconds(30), "no rest of the copy") {
                let names = try await scene.bob.entries(of: mounted.cloud.top).keys.sorted()
                return names == ["big", "big2"] && server.requestsUnderWay("COPY dav") == 0
            }
            try await mounted.downloadAll()
            try await mounted.atHome("cmp stored/big remote/big2")
        }
    }
}

/// A mount with another client beside it.
private struct CopyScene: Sendable {
    var mounted: MountedCloud
    var bob: any CloudStorage
    var folder: String

    /// Bodies that went through the server, and copies that it made.
    struct Transfers {
        var downloads: Int
        var uploads: Int
        var copies: Int
    }

    /// Stores a new content as Bob, and keeps it in `stored`.
    func store(_ name: String) async throws {
        try await mounted.atHome(
            "mkdir -p stored; head -c \(8 << 20) /dev/urandom > stored/\(name)")
        _ = try await bob.upload(
            LocalContent(path: "\(mounted.home.path)/stored/\(name)", size: 8 << 20), name: name,
            to: mounted.server.top)
    }

    func attempt(_ script: String) async throws -> Outcome {
        try await Shell.run(
            "cd '\(mounted.home.path)/\(folder)'; \(script)", scratch: mounted.home.path,
            seconds: 120)
    }

    func run(_ script: String) async throws {
        let outcome = try await attempt(script)
        guard outcome.exitCode == 0 else { throw Failed(what: script, outcome: outcome) }
    }

    func transfers() throws -> Transfers {
        if let cloud = mounted.server as? WebDAVCloud {
            return Transfers(
                downloads: try cloud.server.requestCount("GET"),
                uploads: try cloud.server.requestCount("PUT"),
                copies: try cloud.server.requestCount("COPY"))
        }
        let counts = mounted.cloud.server.requestCounts()
        func count(_ method: String) -> Int {
            counts.filter { $0.key.hasPrefix(method + " dav") }.values.reduce(0, +)
        }
        return Transfers(downloads: count("GET"), uploads: count("PUT"), copies: count("COPY"))
    }
}
