import CloudStorage
import LeitzCloudServer
import TestSupport
import Testing

/// One way of being a cloud that the contract must hold for.
enum CloudVariant: String, CaseIterable, Sendable {
    case conflict, conflictWithRanges, revision, revisionWithRanges

    var uploadOntoName: Capabilities.UploadOntoName {
        self == .conflict || self == .conflictWithRanges ? .conflict : .revision
    }

    var supportsRanges: Bool { self == .conflictWithRanges || self == .revisionWithRanges }

    fileprivate var behaviour: ServerBehaviour {
        var behaviour = ServerBehaviour()
        behaviour.uploadOntoName = uploadOntoName == .conflict ? .conflict : .revision
        behaviour.supportsRanges = supportsRanges
        behaviour.excludedExtensions = [".forbidden"]
        behaviour.maximumFileSizeMB = 64
        return behaviour
    }
}

/// A cloud under test: two persons who may write, one who may read, and a folder for one test.
struct ContractCloud: Sendable {
    var alice: any CloudStorage
    var bob: any CloudStorage
    var reader: any CloudStorage
    var root: RootIdentifier
    /// Nobody else uses it.
    var folder: ItemReference
    var files: TemporaryFolder

    func upload(_ text: String, _ name: String) async throws -> CloudItem {
        try await alice.upload(Array(text.utf8), name: name, to: folder, from: files)
    }
}

/// Starts every variant once for the whole suite.
struct ContractClouds: SuiteTrait, TestScoping {
    private struct Running: Sendable {
        var cloud: TestCloud
        var alice: any CloudStorage
        var bob: any CloudStorage
        var reader: any CloudStorage
    }

    @TaskLocal private static var running: [CloudVariant: Running] = [:]

    func provideScope(
        for test: Test, testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws {
        var running: [CloudVariant: Running] = [:]
        for variant in CloudVariant.allCases {
            let cloud = try await TestCloud.start(variant.behaviour)
            running[variant] = Running(
                cloud: cloud, alice: try await cloud.client(.alice),
                bob: try await cloud.client(.bob), reader: try await cloud.client(.reader))
        }
        let result: Result<Void, any Error>
        do {
            result = .success(try await Self.$running.withValue(running) { try await function() })
        } catch {
            result = .failure(error)
        }
        for variant in running.values { await variant.cloud.stop() }
        try result.get()
    }

    /// The cloud of a variant with a new folder in it.
    static func cloud(_ variant: CloudVariant) async throws -> ContractCloud {
        let running = try #require(running[variant])
        let name = "test \(UInt64.random(in: 0 ... .max))"
        let folder = try await running.alice.createFolder(
            name: name, in: .top(of: running.cloud.team))
        return ContractCloud(
            alice: running.alice, bob: running.bob, reader: running.reader,
            root: running.cloud.team, folder: folder.reference, files: try TemporaryFolder())
    }
}

extension Trait where Self == ContractClouds {
    static var contractClouds: Self { ContractClouds() }
}
