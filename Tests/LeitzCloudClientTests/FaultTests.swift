import CloudStorage
import FileSystemTypes
import HTTPTransport
import LeitzCloudAPI
import LeitzCloudClient
import LeitzCloudServer
import TestSupport
import Testing

/// What the client makes of a server and a network that fail, over real connections.
@Suite struct FaultTests {
    /// A signed-in client, an upload folder and the server's fault control.
    private struct Scene {
        var cloud: TestCloud
        var client: LeitzCloudClient
        var files: TemporaryFolder

        var top: ItemReference { .top(of: cloud.team) }

        func upload(_ bytes: [UInt8], _ name: String) async throws -> CloudItem {
            try await client.upload(bytes, name: name, to: top, from: files)
        }

        func inject(_ action: FaultAction, _ kind: String, times: Int? = 1) {
            cloud.server.resetRequestCounts()
            cloud.server.faults.add(FaultRule(action, routeKind: kind, times: times))
        }

        func count(_ request: String) -> Int { cloud.server.requestCounts()[request] ?? 0 }
    }

    private func scene(
        _ change: @escaping (inout TransportConfiguration) -> Void = { _ in },
        _ body: (Scene) async throws -> Void
    ) async throws {
        try await TestCloud.with { cloud in
            let client = try await cloud.client(.alice, change)
            try await body(Scene(cloud: cloud, client: client, files: try TemporaryFolder()))
        }
    }

    private static let busy = FaultAction.status(
        code: 503, error: "temporarily_unavailable", retryAfter: nil)

    @Test func aBusyServerIsAskedAgain() async throws {
        try await scene { scene in
            scene.inject(Self.busy, "upload", times: 2)
            _ = try await scene.upload([1, 2], "a")
            #expect(scene.count("POST upload") == 3)
            scene.inject(Self.busy, "root", times: 2)
            #expect(try await scene.client.entries(of: scene.top).count == 1)
            #expect(scene.count("GET root") == 3)
        }
    }

    @Test func aServerThatStaysBusyIsGivenUp() async throws {
        try await scene { scene in
            scene.inject(Self.busy, "root", times: nil)
            let kind = try await failureKind { _ = try await scene.client.entries(of: scene.top) }
            #expect(kind == .temporarilyUnavailable)
            #expect(scene.count("GET root") == RetryPolicy().maximumAttempts)
        }
    }

    @Test func retryAfterIsWaitedFor() async throws {
        try await TestCloud.with { cloud in
            let clock = ManualClock()
            var configuration = TransportConfiguration()
            configuration.certificateAuthorityFile = cloud.server.certificatePath
            let transport = try HTTPTransport(configuration, clock: clock)
            cloud.server.faults.add(
                FaultRule(.status(code: 429, error: "slow_down", retryAfter: 7)))
            let address = try cloud.address
            let detection = Task {
                try await LeitzCloudSignIn.detect(address, transport: transport)
            }
            try await eventually("the wait") { clock.nextWait == .seconds(7) }
            #expect(cloud.server.requestCounts()["GET version"] == 1)
            clock.advance(by: .seconds(7))
            #expect(try await detection.value == "2.0.9")
        }
    }

    @Test func aLostAnswerLeavesTheUploadInDoubtAndIsNotRepeated() async throws {
        try await scene { scene in
            scene.inject(.loseAnswer, "upload")
            do {
                _ = try await scene.upload([1, 2, 3], "a")
                Issue.record("an upload without an answer succeeded")
            } catch let error as CloudStorageError {
                #expect(error.kind == .unreachable)
                #expect(error.mayHaveHappened)
            }
            #expect(scene.count("POST upload") == 1)
            #expect(try await scene.client.entries(of: scene.top)["a"]?.size == 3)
        }
    }

    @Test func aLostAnswerOfADeleteIsFoundOut() async throws {
        try await scene { scene in
            let file = try await scene.upload([1], "a")
            scene.inject(.loseAnswer, "delete")
            try await scene.client.delete(file.reference)
            #expect(scene.count("POST delete") == 2)
            #expect(try await scene.client.entries(of: scene.top).isEmpty)
        }
    }

    @Test func aResetIsRepeatedOnlyWhereNothingCanHaveHappened() async throws {
        try await scene { scene in
            scene.inject(.resetBeforeAnswer, "root", times: 2)
            _ = try await scene.client.entries(of: scene.top)
            #expect(scene.count("GET root") == 3)
            scene.inject(.resetBeforeAnswer, "create_folder")
            let folder = scene.top
            do throws(CloudStorageError) {
                _ = try await scene.client.createFolder(name: "f", in: folder)
                Issue.record("a folder was made without an answer")
            } catch {
                #expect(error.kind == .unreachable)
                #expect(error.mayHaveHappened)
            }
        }
    }

    @Test func aBodyThatEndsEarlyIsNoFile() async throws {
        try await scene { scene in
            let content = [UInt8](repeating: 5, count: 1 << 20)
            let file = try await scene.upload(content, "a")
            scene.inject(.cutBody(afterBytes: 10_000), "download")
            let sink = RecordingSink()
            let kind = try await failureKind {
                try await scene.client.download(file.reference, range: nil, to: sink)
            }
            #expect(kind == .unreachable)
            #expect(sink.beginCount == 1)
            #expect(sink.bytes.count < content.count)
        }
    }

    @Test func aDownloadThatFailsBeforeItsFirstByteIsRepeated() async throws {
        try await scene { scene in
            let content = [UInt8](repeating: 5, count: 300_000)
            let file = try await scene.upload(content, "a")
            for action in [
                FaultAction.cutBody(afterBytes: 0), .resetBeforeAnswer, .expireToken, Self.busy,
            ] {
                scene.inject(action, "download")
                let sink = RecordingSink()
                try await scene.client.download(file.reference, range: nil, to: sink)
                #expect(sink.beginCount == 1)
                #expect(sink.bytes == content)
                #expect(scene.count("GET download") == 2)
            }
        }
    }

    @Test func anAnswerOfAnotherLengthShowsInItsTotal() async throws {
        try await scene { scene in
            let file = try await scene.upload([UInt8](repeating: 5, count: 1_000), "a")
            for difference in [-10, 10] {
                scene.inject(.wrongLength(by: difference), "download")
                let sink = RecordingSink()
                try await scene.client.download(file.reference, range: nil, to: sink)
                #expect(sink.totalSize == Int64(1_000 + difference))
                #expect(sink.bytes.count == 1_000 + difference)
            }
        }
    }

    @Test func halfAListingIsNoListing() async throws {
        try await scene { scene in
            _ = try await scene.upload([1], "a")
            scene.inject(.wrongLength(by: -20), "root")
            #expect(
                try await failureKind { _ = try await scene.client.entries(of: scene.top) }
                    == .invalidAnswer)
            scene.inject(.cutBody(afterBytes: 20), "root")
            #expect(try await scene.client.entries(of: scene.top).count == 1)
        }
    }

    @Test func aServerThatDoesNotAnswerIsNotWaitedForForEver() async throws {
        try await scene({ $0.requestDeadline = .milliseconds(1_500) }) { scene in
            scene.inject(.delay(seconds: 4), "root", times: 2)
            let kind = try await failureKind { _ = try await scene.client.entries(of: scene.top) }
            #expect(kind == .timedOut)
            #expect(scene.count("GET root") <= 2)
        }
    }

    @Test func aTransferThatStandsStillIsGivenUp() async throws {
        try await scene({ $0.idleTimeout = .milliseconds(1_500) }) { scene in
            let steady = try await scene.cloud.client(.alice)
            let file = try await steady.upload(
                [1], name: "a", to: scene.top, from: scene.files)
            scene.inject(.delay(seconds: 4), "download", times: 2)
            let kind = try await failureKind {
                try await scene.client.download(file.reference, range: nil, to: RecordingSink())
            }
            #expect(kind == .timedOut)
        }
    }

    @Test func aCancelledCallEndsAtOnce() async throws {
        try await scene { scene in
            scene.inject(.delay(seconds: 60), "root")
            let client = scene.client
            let top = scene.top
            let call = Task { try await failureKind { _ = try await client.entries(of: top) } }
            try await eventually("the request is under way") { scene.count("GET root") == 1 }
            let start = ContinuousClock.now
            call.cancel()
            #expect(try await call.value == .cancelled)
            #expect(start.duration(to: .now) < .seconds(15))
        }
    }

    @Test func aServerThatIsGoneIsNoticed() async throws {
        let cloud = try await TestCloud.start()
        let client = try await cloud.client(.alice)
        _ = try await client.account()
        #expect(!client.health.isOffline)
        await cloud.stop(closingClients: false)
        let top = ItemReference.top(of: cloud.team)
        #expect(try await failureKind { _ = try await client.entries(of: top) } == .unreachable)
        #expect(client.health.isOffline)
        // Nothing is stored, and that is certain.
        do throws(CloudStorageError) {
            _ = try await client.createFolder(name: "x", in: top)
            Issue.record("a folder was made on a server that is gone")
        } catch {
            #expect(error.kind == .unreachable)
            #expect(!error.mayHaveHappened)
        }
    }

    @Test func allCallsToAnOverloadedServerEnd() async throws {
        try await scene { scene in
            scene.inject(Self.busy, "root", times: 30)
            let client = scene.client
            let top = scene.top
            let outcomes = try await withThrowingTaskGroup(
                of: CloudStorageError.Kind?.self
            ) { group in
                for _ in 0..<20 {
                    group.addTask {
                        try await failureKind { _ = try await client.entries(of: top) }
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.count == 20)
            #expect(outcomes.allSatisfy { $0 == nil || $0 == .temporarilyUnavailable })
            #expect(try await client.entries(of: top).isEmpty)
        }
    }

    @Test func theQuotaHasItsOwnError() async throws {
        try await TestCloud.with { cloud in
            let person = try await cloud.server.ensurePerson(
                email: "alice@example.com", password: TestCloud.Person.alice.password,
                displayName: "alice", quota: 1_000)
            #expect(person > 0)
            let client = try await cloud.client(.alice)
            let files = try TemporaryFolder()
            let kind = try await failureKind {
                _ = try await client.upload(
                    [UInt8](repeating: 1, count: 2_000), name: "a", to: .top(of: cloud.team),
                    from: files)
            }
            #expect(kind == .quotaExceeded)
        }
    }
}

@Suite struct BeyondTheSeamTests {
    @Test func sharesSearchesAndArchives() async throws {
        try await TestCloud.with { cloud in
            let client = try await cloud.client(.alice)
            let files = try TemporaryFolder()
            let folder = try await client.createFolder(name: "folder", in: .top(of: cloud.team))
            let file = try await client.upload(
                [1, 2, 3], name: "needle.txt", to: folder.reference, from: files)
            var request = ShareRequest()
            request.expires = "2099-01-31"
            request.downloadLimit = 3
            let share = try await client.share(file.reference, request)
            #expect(share.fileID.map { String($0) } == file.reference.id)
            #expect(!share.hash.isEmpty)
            #expect(try await client.share(folder.reference).folderID != nil)
            let found = try await client.search("needle", in: cloud.team)
            #expect(found.map(\.reference.id) == [file.reference.id])
            let sink = RecordingSink()
            try await client.downloadArchive(of: folder.reference, to: sink)
            #expect(sink.bytes.starts(with: Array("PK".utf8)))
            #expect(try await client.version() == "2.0.9")
        }
    }
}
