import CloudStorage
import HTTPTransport
import LeitzCloudServer
import TestSupport
import Testing
import WebDAVClient

/// One way of being a cloud that the contract must hold for.
enum CloudVariant: String, CaseIterable, Sendable {
    case conflict, conflictWithRanges, revision, revisionWithRanges
    case apache, wsgidav, lighttpd, nginx, rclone
    /// The embedded cloud as a Nextcloud.
    case webDAVFace

    /// The clouds of API v2: items have ids, persons have rights and quotas, changes are told.
    static let leitzCloud: [CloudVariant] = [
        .conflict, .conflictWithRanges, .revision, .revisionWithRanges,
    ]
    /// WebDAV servers: items have paths, and nothing else.
    static let webDAV: [CloudVariant] = [
        .apache, .wsgidav, .lighttpd, .nginx, .rclone, .webDAVFace,
    ]
    /// Those where a person who may only read can be set up.
    static let withReaders = leitzCloud + [.apache, .webDAVFace]

    var uploadOntoName: Capabilities.UploadOntoName {
        self == .conflict || self == .conflictWithRanges ? .conflict : .revision
    }

    var supportsRanges: Bool { self != .conflict && self != .revision }
    var addressesByPath: Bool { Self.webDAV.contains(self) }
    /// A folder's ETag tells whether anything below it has changed.
    var hasFolderETags: Bool { self == .webDAVFace }
    /// How many bytes come with a file's first one when that alone is asked for: Nextcloud reads a
    /// range that ends at byte 0 as one without an end, so that one more is asked for.
    var bytesBeyondTheFirst: Int { self == .webDAVFace ? 1 : 0 }
    /// wsgidav's ETag is made of the path too: a renamed file counts as changed.
    var keepsRevisionOnMove: Bool { self != .wsgidav }

    /// The Go library of rclone keeps its locks to itself.
    var showsLocks: Bool { self != .rclone }
    /// The others show a lock without its owner.
    var namesLockHolders: Bool { ![.lighttpd, .nginx, .rclone].contains(self) }
    /// lighttpd lets others add entries to a locked folder.
    var locksFolders: Bool { self != .lighttpd }

    /// Whether the server holds, lists and renames to a name as it should.
    func handles(_ name: String) -> Bool {
        switch self {
        case .nginx: !name.hasPrefix(".")
        case .lighttpd: name.utf8.count < 240
        // Names are composed and have up to 250 bytes, as with Nextcloud.
        case .webDAVFace: name.utf8.count <= 250 && !name.unicodeScalars.contains("\u{301}")
        case .wsgidav: !name.contains { $0 == ";" || $0 == "?" }
        default: true
        }
    }

    fileprivate var behaviour: ServerBehaviour {
        var behaviour = ServerBehaviour()
        behaviour.uploadOntoName = uploadOntoName == .conflict ? .conflict : .revision
        behaviour.supportsRanges = supportsRanges
        behaviour.excludedExtensions = [".forbidden"]
        behaviour.maximumFileSizeMB = 64
        return behaviour
    }

    fileprivate var server: WebDAVTestServer.Kind? { WebDAVTestServer.Kind(rawValue: rawValue) }
}

/// A cloud under test: two persons who may write, one who may read, and a folder for one test.
struct ContractCloud: Sendable {
    var alice: any CloudStorage
    var bob: any CloudStorage
    var reader: any CloudStorage
    /// Alice's next run, which knows nothing of the locks of the first.
    var nextAlice: any CloudStorage
    var root: RootIdentifier
    /// Nobody else uses it.
    var folder: ItemReference
    var files: TemporaryFolder
    /// Where a WebDAV server keeps the root's files.
    var dataFolder: String?

    func upload(_ text: String, _ name: String) async throws -> CloudItem {
        try await alice.upload(Array(text.utf8), name: name, to: folder, from: files)
    }

    func upload(_ text: String, _ name: String, onto target: UploadTarget) async throws -> CloudItem
    {
        let path = try files.write(
            Array(text.utf8), to: "upload-\(UInt64.random(in: 0 ... .max))")
        return try await alice.upload(
            LocalContent(path: path, size: Int64(text.utf8.count)), name: name, to: folder,
            onto: target)
    }

    /// Makes a file on a WebDAV server's disk an hour older.
    func age(_ item: CloudItem) throws {
        guard let data = dataFolder else { return }
        try makeOlder(data + item.reference.path, seconds: 3_600)
    }
}

/// Starts every variant once for the whole suite.
struct ContractClouds: SuiteTrait, TestScoping {
    private struct Running: Sendable {
        var alice: any CloudStorage
        var bob: any CloudStorage
        var reader: any CloudStorage
        /// Alice's next run, which knows nothing of the locks of the first.
        var nextAlice: any CloudStorage
        var root: RootIdentifier
        var dataFolder: String?
        var stop: @Sendable () async -> Void
    }

    @TaskLocal private static var running: [CloudVariant: Running] = [:]

    func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws {
        var running: [CloudVariant: Running] = [:]
        let result: Result<Void, any Error>
        do {
            running = try await withThrowingTaskGroup(
                of: (CloudVariant, Running).self
            ) { group in
                for variant in CloudVariant.allCases {
                    group.addTask { (variant, try await Self.start(variant)) }
                }
                var running: [CloudVariant: Running] = [:]
                for try await (variant, cloud) in group { running[variant] = cloud }
                return running
            }
            result = .success(try await Self.$running.withValue(running) { try await function() })
        } catch {
            result = .failure(error)
        }
        for variant in running.values { await variant.stop() }
        try result.get()
    }

    private static func start(_ variant: CloudVariant) async throws -> Running {
        if let kind = variant.server { return try await start(kind) }
        let cloud = try await TestCloud.start(variant.behaviour)
        if variant == .webDAVFace { return try await startFace(of: cloud) }
        return Running(
            alice: try await cloud.client(.alice), bob: try await cloud.client(.bob),
            reader: try await cloud.client(.reader), nextAlice: try await cloud.client(.alice),
            root: cloud.team,
            stop: { await cloud.stop() })
    }

    /// Three persons at the team root, which is a folder in the files of each.
    private static func startFace(of cloud: TestCloud) async throws -> Running {
        do {
            let clients = [
                try await faceClient(.alice, of: cloud), try await faceClient(.bob, of: cloud),
                try await faceClient(.reader, of: cloud), try await faceClient(.alice, of: cloud),
            ]
            return Running(
                alice: clients[0], bob: clients[1], reader: clients[2], nextAlice: clients[3],
                root: WebDAVClient.root,
                stop: { await cloud.stop() })
        } catch {
            await cloud.stop()
            throw error
        }
    }

    private static func faceClient(
        _ person: TestCloud.Person, of cloud: TestCloud
    ) async throws -> WebDAVClient {
        let transport = try cloud.transport()
        let credentials = WebDAVCredentials(user: person.email, password: person.password)
        var found = try await WebDAVDetection.detect(
            try cloud.address, credentials: credentials, transport: transport)
        found.filesURL += "/" + TestCloud.teamRootName
        found.profile.rootName = TestCloud.teamRootName
        return try WebDAVClient(
            server: found, credentials: credentials, transport: transport,
            options: WebDAVOptions(lockOwner: person.rawValue))
    }

    private static func start(_ kind: WebDAVTestServer.Kind) async throws -> Running {
        let server = try await WebDAVTestServer.start(kind)
        do {
            let clients = [
                try await client("alice", of: server), try await client("bob", of: server),
                try await client("reader", of: server), try await client("alice", of: server),
            ]
            return Running(
                alice: clients[0].cloud, bob: clients[1].cloud, reader: clients[2].cloud,
                nextAlice: clients[3].cloud, root: WebDAVClient.root,
                dataFolder: server.dataFolder,
                stop: {
                    for client in clients { await client.transport.shutdown() }
                    await server.stop()
                })
        } catch {
            await server.stop()
            throw error
        }
    }

    private static func client(
        _ user: String, of server: WebDAVTestServer
    ) async throws -> (cloud: WebDAVClient, transport: HTTPTransport) {
        let transport = try HTTPTransport()
        let credentials = WebDAVCredentials(user: user, password: WebDAVTestServer.password)
        let found = try await WebDAVDetection.detect(
            try ServerAddress(server.url), credentials: credentials, transport: transport)
        let cloud = try WebDAVClient(
            server: found, credentials: credentials, transport: transport,
            options: WebDAVOptions(lockOwner: user))
        return (cloud, transport)
    }

    /// The cloud of a variant with a new folder in it.
    static func cloud(_ variant: CloudVariant) async throws -> ContractCloud {
        let running = try #require(running[variant])
        let name = "test \(UInt64.random(in: 0 ... .max))"
        let folder = try await running.alice.createFolder(
            name: name, in: .top(of: running.root))
        return ContractCloud(
            alice: running.alice, bob: running.bob, reader: running.reader,
            nextAlice: running.nextAlice,
            root: running.root, folder: folder.reference, files: try TemporaryFolder(),
            dataFolder: running.dataFolder)
    }
}

extension Trait where Self == ContractClouds {
    static var contractClouds: Self { ContractClouds() }
}
