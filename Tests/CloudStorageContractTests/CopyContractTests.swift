import CloudStorage
import FileSystemTypes
import TestSupport
import Testing

extension CloudStorageContract {
    @Suite struct Copies {
        @Test(arguments: CloudVariant.webDAV)
        func aCopyIsAFileOfItsOwn(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            #expect(cloud.alice.capabilities.copiesOnServer)
            let folder = try await cloud.alice.createFolder(name: "ü 1%20#", in: cloud.folder)
            let file = try await cloud.upload("content", "a b")
            let copy = try await cloud.alice.copy(
                file.reference, revision: try #require(file.revision), to: folder.reference,
                name: "ö&+.txt")
            #expect(copy.name == "ö&+.txt")
            #expect(copy.size == 7)
            #expect(copy.reference.path == folder.reference.path + "/ö&+.txt")
            #expect(copy.reference.id == nil || copy.reference.id != file.reference.id)
            #expect(try await cloud.bob.entries(of: folder.reference)["ö&+.txt"] == copy)
            #expect(try await cloud.bob.bytes(of: copy) == Array("content".utf8))
            try await cloud.alice.delete(copy.reference, revision: copy.revision)
            #expect(try await cloud.bob.bytes(of: file) == Array("content".utf8))
        }

        @Test(arguments: CloudVariant.webDAV)
        func aCopyReplacesNothing(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let file = try await cloud.upload("1", "a")
            let other = try await cloud.upload("22", "b")
            _ = try await cloud.alice.createFolder(name: "c", in: cloud.folder)
            for name in ["a", "b", "c"] {
                let kind = try await failureKind {
                    _ = try await cloud.alice.copy(
                        file.reference, revision: try #require(file.revision), to: cloud.folder,
                        name: name)
                }
                #expect(kind == .nameConflict, "\(name)")
            }
            let names = try await cloud.alice.entries(of: cloud.folder).keys.sorted()
            #expect(names == ["a", "b", "c"])
            #expect(try await cloud.alice.bytes(of: other) == Array("22".utf8))
        }

        @Test(arguments: CloudVariant.webDAV)
        func whatWasNotSeenIsNotCopied(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let file = try await cloud.upload("1", "a")
            _ = try await cloud.upload("22", "a", onto: .anything)
            let changed = try await failureKind {
                _ = try await cloud.alice.copy(
                    file.reference, revision: try #require(file.revision), to: cloud.folder,
                    name: "b")
            }
            #expect(changed == .revisionChanged)
            try await cloud.alice.delete(file.reference)
            let gone = try await failureKind {
                _ = try await cloud.alice.copy(
                    file.reference, revision: try #require(file.revision), to: cloud.folder,
                    name: "b")
            }
            #expect(gone == .notFound)
            #expect(try await cloud.alice.entries(of: cloud.folder).isEmpty)
        }

        @Test(arguments: CloudVariant.leitzCloud)
        func aCloudWithoutCopiesSaysSo(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            #expect(!cloud.alice.capabilities.copiesOnServer)
            let file = try await cloud.upload("1", "a")
            let kind = try await failureKind {
                _ = try await cloud.alice.copy(
                    file.reference, revision: try #require(file.revision), to: cloud.folder,
                    name: "b")
            }
            #expect(kind == .unsupported)
        }
    }
}
