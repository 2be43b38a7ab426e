import FileSystemTypes
import FoundationEssentials
import StateStore
import TestSupport
import Testing

import VirtualFileSystem

/// What becomes of files here once they have been sent.
@Suite struct RetirementTests {
    private let count = 60

    private func text(_ number: Int) -> String { "content \(number)" }

    private func fixture(
        _ cloud: ModelCloud = ModelCloud(), _ folder: TemporaryFolder? = nil
    ) async throws -> Fixture {
        try await Fixture.make(cloud: cloud, folder: folder) { options in
            options.synchronization = .none
        }
    }

    private func saveAll(_ fixture: Fixture) async throws {
        for number in 0..<count {
            try await fixture.save(text(number), to: "/f\(number)")
        }
    }

    /// The cache takes them over, and none stays where unsent content is kept.
    @Test func manySentFilesAreReadFromTheCache() async throws {
        let first = try await fixture()
        try await saveAll(first)
        #expect(await first.fileSystem.drain(forSeconds: 60).remaining == 0)
        await first.fileSystem.shutdown()
        #expect(first.serverContents() == (0..<count).map { text($0) }.sorted())
        let folder = first.store.contentFolder
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)

        let second = try await fixture(first.cloud, first.folder)
        for number in 0..<count {
            #expect(try await second.read("/f\(number)") == text(number))
        }
        #expect(second.cloud.count(of: .download) == 0)
        await second.fileSystem.shutdown()
    }

    /// Programs go on with a file that has been sent and waits for the cache.
    @Test func filesThatWaitForTheCacheCanBeUsed() async throws {
        let fixture = try await fixture()
        try await saveAll(fixture)
        await fixture.fileSystem.sendNow(below: [])
        for number in stride(from: 0, to: count, by: 3) {
            #expect(try await fixture.read("/f\(number)") == text(number))
            try await fixture.save("next", to: "/f\(number)")
            try await fixture.unlink("/f\(number + 1)")
            try await fixture.rename("/f\(number + 2)", "/g\(number + 2)")
        }
        #expect(await fixture.fileSystem.drain(forSeconds: 60).remaining == 0)
        let kept = (0..<count).filter { $0 % 3 == 2 }.map { text($0) }
        let next = Array(repeating: "next", count: count / 3)
        #expect(fixture.serverContents() == (kept + next).sorted())
        #expect(try await fixture.read("/g2") == text(2))
        #expect(try await fixture.read("/f0") == "next")
        await fixture.fileSystem.shutdown()
    }
}
