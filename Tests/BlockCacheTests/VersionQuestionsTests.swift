import CloudStorage
import FileSystemTypes
import Synchronization
import TestSupport
import Testing

@testable import BlockCache

/// The server is asked about small files together, and what it has not stood by is not kept.
@Suite struct VersionQuestionsTests {
    /// A cache whose questions wait longer than any test.
    private func fixture(
        _ change: (inout FakeCloud.Settings) -> Void = { _ in }
    ) throws -> CacheFixture {
        var fixture = try CacheFixture(size: 10_000, change)
        fixture.configuration.confirmationDelay = 3_600
        return fixture
    }

    /// Reads all of a file, and ends its use.
    private func readFile(
        _ number: Int, of fixture: CacheFixture, in cache: BlockCache
    ) async throws {
        let id = String(number)
        let item = ItemReference(root: CacheFixture.root, kind: .file, id: id, path: "/\(id)")
        let content = try cache.content(
            for: CacheFixture.key(id), of: item, size: Int64(fixture.bytes.count),
            from: fixture.cloud)
        try await fixture.check(content, 0..<fixture.bytes.count)
        content.release()
        try await eventually("only the question is left") {
            Self.onlyWaits(content)
        }
    }

    /// Whether nothing but the question about a content's version is to be done.
    private static func onlyWaits(_ content: CachedContent) -> Bool {
        content.state.withLock { state in
            guard case .waiting = state.confirmation else { return false }
            return state.activities == 1 && state.board.isEmpty
        }
    }

    private func putAllAway(_ count: Int, in cache: BlockCache, of fixture: CacheFixture)
        async throws
    {
        for number in 0..<count {
            try await fixture.putAway(CacheFixture.key(String(number)), in: cache)
        }
    }

    @Test func oneQuestionKeepsManyFiles() async throws {
        let fixture = try fixture()
        let cache = try fixture.open()
        for number in 0..<5 { try await readFile(number, of: fixture, in: cache) }
        #expect(fixture.cloud.questions.isEmpty)
        await cache.confirmWaiting(forSeconds: 60)
        #expect(fixture.cloud.questions.map { Set($0) } == [["0", "1", "2", "3", "4"]])
        try await putAllAway(5, in: cache, of: fixture)
        cache.close()
        let next = try fixture.open()
        #expect(next.usage.entries == 5)
        #expect(next.usage.bytes == 50_000)
        next.close()
    }

    @Test func theQuestionIsAskedWhenItsTimeHasCome() async throws {
        var fixture = try fixture()
        fixture.configuration.confirmationDelay = 0.01
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 0..<10_000)
        try await eventually("the server has stood by it") { content.isKept }
        content.release()
        cache.close()
    }

    @Test func filesThatTheServerReplacedMeanwhileAreNotKept() async throws {
        let fixture = try fixture()
        let cache = try fixture.open()
        for number in 0..<3 { try await readFile(number, of: fixture, in: cache) }
        fixture.cloud.change { $0.revision = "2" }
        await cache.confirmWaiting(forSeconds: 60)
        try await putAllAway(3, in: cache, of: fixture)
        #expect(cache.usage.entries == 0)
        cache.close()
        #expect(try fixture.folder.files("").isEmpty)
    }

    @Test func filesThatCouldNotBeAskedAboutAreNotKept() async throws {
        let fixture = try fixture {
            $0.itemError = CloudStorageError(.unreachable, "off")
        }
        let cache = try fixture.open()
        for number in 0..<3 { try await readFile(number, of: fixture, in: cache) }
        await cache.confirmWaiting(forSeconds: 60)
        try await putAllAway(3, in: cache, of: fixture)
        #expect(cache.usage.entries == 0)
        cache.close()
    }

    @Test func theEndWaitsNoLongerThanItsTime() async throws {
        let fixture = try fixture { $0.holdsItem = true }
        let cache = try fixture.open()
        try await readFile(0, of: fixture, in: cache)
        let end = Task { await cache.confirmWaiting(forSeconds: 0.01) }
        try await eventually("it is asked") { fixture.cloud.itemCalls == 1 }
        await end.value
        try await putAllAway(1, in: cache, of: fixture)
        #expect(cache.usage.entries == 0)
        cache.close()
    }

    @Test func whatWaitsAtTheEndIsNotKept() async throws {
        let fixture = try fixture()
        let cache = try fixture.open()
        try await readFile(0, of: fixture, in: cache)
        cache.close()
        #expect(fixture.cloud.questions.isEmpty)
        #expect(try fixture.open().usage.entries == 0)
    }

    @Test func onlySoManyFilesWait() async throws {
        let fixture = try fixture()
        let cache = try fixture.open()
        for number in 1..<VersionQuestions.limit {
            try await readFile(number, of: fixture, in: cache)
        }
        #expect(fixture.cloud.questions.isEmpty)
        let last = try fixture.content(in: cache, key: CacheFixture.key("0"))
        try await fixture.check(last, 0..<fixture.bytes.count)
        try await eventually("all are asked about") {
            fixture.cloud.questions.map(\.count) == [VersionQuestions.limit]
        }
        last.release()
        cache.close()
    }

    @Test func whoWaitsForTheAnswerDoesNotWaitForOtherFiles() async throws {
        let fixture = try fixture()
        let cache = try fixture.open()
        let fresh = try fixture.content(in: cache)
        try await fresh.complete()
        #expect(fresh.isKept)
        fresh.release()
        try await readFile(0, of: fixture, in: cache)
        let item = ItemReference(root: CacheFixture.root, kind: .file, id: "0", path: "/0")
        let waiting = try cache.content(
            for: CacheFixture.key("0"), of: item, size: 10_000, from: fixture.cloud)
        #expect(!waiting.isKept)
        try await waiting.complete()
        #expect(waiting.isKept)
        waiting.release()
        cache.close()
    }

    @Test func largeFilesAreAskedAboutAtOnce() async throws {
        var fixture = try CacheFixture(size: 1 << 20)
        fixture.configuration.confirmationDelay = 3_600
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 0..<fixture.bytes.count)
        try await eventually("the server has stood by it") { content.isKept }
        content.release()
        cache.close()
    }

    @Test func whatCameAfterTheQuestionIsNotConfirmedByTheAnswer() async throws {
        let fixture = try fixture {
            $0.supportsRanges = true
            $0.holdsItem = true
        }
        var small = fixture
        small.configuration.minimumRequest = 4096
        let cache = try small.open()
        let content = try small.content(in: cache)
        try await small.check(content, 0..<1)
        try await eventually("only the question is left") {
            Self.onlyWaits(content)
        }
        cache.questions.askNow()
        try await eventually("it is asked") { small.cloud.itemCalls == 1 }
        try await small.check(content, 8_192..<8_193)
        try await eventually("the second has come") {
            content.state.withLock { state in
                guard case .running(_, let again) = state.confirmation else { return false }
                return again && state.board.isEmpty
            }
        }
        let (asksAgain, map) = content.state.withLock { state in
            (state.confirmationEnded(stands: true), state.map)
        }
        #expect(asksAgain)
        #expect(map.confirmed[0] && !map.confirmed[2])
        small.cloud.change { $0.holdsItem = false }
        await cache.confirmWaiting(forSeconds: 60)
        content.release()
        cache.close()
    }
}
