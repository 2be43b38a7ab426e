import CloudStorage
import FileSystemTypes
import TestSupport
import Testing

extension CloudStorageContract {
    /// Only the embedded cloud as a Nextcloud keeps times.
    @Suite struct Times {
        @Test func aFileGetsATimeAndKeepsItsContent() async throws {
            let cloud = try await ContractClouds.cloud(.webDAVFace)
            #expect(cloud.alice.capabilities.setsModificationTime)
            let file = try await cloud.upload("content", "a")
            let item = try await cloud.alice.setModificationTime(
                FileTime(seconds: 1_500_000_000), of: file.reference,
                revision: try #require(file.revision))
            #expect(item.modified == FileTime(seconds: 1_500_000_000))
            #expect(item.reference == file.reference)
            #expect(item.revision != file.revision)
            #expect(try await cloud.bob.entries(of: cloud.folder)["a"]?.modified == item.modified)
            #expect(try await cloud.bob.bytes(of: item) == Array("content".utf8))
            let next = try await cloud.upload(
                "next", "a", onto: .revision(try #require(item.revision)))
            #expect(try await cloud.bob.bytes(of: next) == Array("next".utf8))
        }

        @Test func whatWasNotSeenGetsNoTime() async throws {
            let cloud = try await ContractClouds.cloud(.webDAVFace)
            let file = try await cloud.upload("1", "a")
            let next = try await cloud.upload("22", "a", onto: .anything)
            let kind = try await failureKind {
                _ = try await cloud.alice.setModificationTime(
                    FileTime(seconds: 1_500_000_000), of: file.reference,
                    revision: try #require(file.revision))
            }
            #expect(kind == .revisionChanged)
            #expect(try await cloud.bob.entries(of: cloud.folder)["a"] == next)
        }

        @Test func aLockedFileKeepsItsTime() async throws {
            let cloud = try await ContractClouds.cloud(.webDAVFace)
            let file = try await cloud.upload("1", "a")
            try await cloud.bob.lock(file.reference, seconds: 600)
            let kind = try await failureKind {
                _ = try await cloud.alice.setModificationTime(
                    FileTime(seconds: 1_500_000_000), of: file.reference,
                    revision: try #require(file.revision))
            }
            try await cloud.bob.unlock(file.reference)
            #expect(kind == .locked)
        }
    }
}
