import CloudStorage
import FileSystemTypes
import TestSupport
import Testing

/// What the file system relies on, whatever the cloud.
@Suite(.contractClouds) enum CloudStorageContract {
    @Suite struct Reading {
        @Test(arguments: CloudVariant.allCases)
        func theAccountNamesItsRoots(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let account = try await cloud.alice.account()
            #expect(account.roots.contains { $0.id == cloud.root && $0.name == "Team" })
            #expect(Set(account.roots.map(\.name)).count == account.roots.count)
        }

        @Test(arguments: CloudVariant.leitzCloud)
        func theAccountNamesItsLimits(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let account = try await cloud.alice.account()
            #expect(account.quota?.total == 1 << 31)
            #expect(account.policy.excludedExtensions == [".forbidden"])
            #expect(account.policy.maximumFileSize == 64 << 20)
        }

        @Test(arguments: CloudVariant.allCases)
        func aListingShowsWhatIsThere(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let folder = try await cloud.alice.createFolder(name: "sub", in: cloud.folder)
            let file = try await cloud.upload("hello", "a.txt")
            let entries = try await cloud.alice.entries(of: cloud.folder)
            #expect(entries.keys.sorted() == ["a.txt", "sub"])
            #expect(entries["a.txt"] == file)
            #expect(entries["sub"]?.reference.kind == .folder)
            #expect(entries["sub"]?.reference.id == folder.reference.id)
            #expect(entries["a.txt"]?.size == 5)
            #expect(entries["a.txt"]?.permissions == .all)
            #expect(entries["a.txt"]?.modified != nil)
            #expect(try await cloud.alice.entries(of: folder.reference).isEmpty)
            let top = try await cloud.alice.entries(of: .top(of: cloud.root))
            #expect(top.values.contains { $0.reference == cloud.folder })
        }

        @Test(arguments: CloudVariant.leitzCloud)
        func aListingIsSentOnlyOnce(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let file = try await cloud.upload("1", "a")
            guard
                case .entries(let items, let first, let itself) = try await cloud.alice.list(
                    cloud.folder, validator: nil)
            else {
                Issue.record("no entries")
                return
            }
            #expect(items.count == 1)
            #expect(itself.reference.id == cloud.folder.id)
            let validator = try #require(first)
            guard case .notModified = try await cloud.alice.list(cloud.folder, validator: validator)
            else {
                Issue.record("the whole listing came again")
                return
            }
            try await cloud.alice.delete(file.reference)
            guard
                case .entries(let after, let second, _) = try await cloud.alice.list(
                    cloud.folder, validator: validator)
            else {
                Issue.record("the change was not seen")
                return
            }
            #expect(after.isEmpty)
            #expect(second != validator)
        }

        @Test(arguments: CloudVariant.webDAV)
        func noListingIsCalledUnchangedWithoutProof(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            guard
                case .entries(_, let validator, _) = try await cloud.alice.list(
                    cloud.folder, validator: "anything")
            else {
                Issue.record("no entries")
                return
            }
            #expect((validator != nil) == variant.hasFolderETags)
        }

        @Test(arguments: CloudVariant.withReaders)
        func readersMayNotWrite(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let file = try await cloud.upload("1", "a")
            if !variant.addressesByPath {
                let seen = try await cloud.reader.entries(of: cloud.folder)["a"]
                #expect(seen?.permissions == .read)
                #expect(try await cloud.reader.item(file.reference).permissions == .read)
            }
            #expect(try await cloud.reader.bytes(of: file) == Array("1".utf8))
            #expect(
                try await failureKind { try await cloud.reader.delete(file.reference) }
                    == .forbidden)
            #expect(
                try await failureKind {
                    _ = try await cloud.reader.createFolder(name: "x", in: cloud.folder)
                } == .forbidden)
        }

        @Test(arguments: CloudVariant.allCases)
        func oneItemCanBeAskedFor(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let file = try await cloud.upload("hello", "a.txt")
            #expect(try await cloud.alice.item(file.reference) == file)
            let folder = try await cloud.alice.item(cloud.folder)
            #expect(folder.reference.id == cloud.folder.id)
            #expect(folder.reference.isFolder)
            #expect(try await cloud.alice.item(.top(of: cloud.root)).name == "Team")
            try await cloud.alice.delete(file.reference)
            #expect(
                try await failureKind { _ = try await cloud.alice.item(file.reference) }
                    == .notFound)
        }

        @Test(arguments: CloudVariant.allCases)
        func aDownloadIsExact(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let content = (0..<100_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            let file = try await cloud.alice.upload(
                content, name: "f", to: cloud.folder, from: cloud.files)
            #expect(try await cloud.alice.bytes(of: file) == content)
            for range in [ByteRange(0, 1), ByteRange(5_000, 70_000), ByteRange(99_999, 100_000)] {
                let sink = RecordingSink()
                try await cloud.alice.download(file.reference, range: range, to: sink)
                let offset = Int(try #require(sink.offset))
                #expect(sink.beginCount == 1)
                #expect(sink.bytes == Array(content[offset..<offset + sink.bytes.count]))
                #expect(Int64(offset) <= range.lowerBound)
                #expect(Int64(offset + sink.bytes.count) >= range.upperBound)
                #expect(sink.totalSize == 100_000)
                if variant.supportsRanges {
                    let more = range.upperBound == 1 ? variant.bytesBeyondTheFirst : 0
                    #expect(sink.bytes.count == Int(range.count) + more)
                }
            }
            #expect(cloud.alice.capabilities.supportsRanges == variant.supportsRanges)
        }

        @Test(arguments: CloudVariant.allCases)
        func aRangeMayReachPastTheEnd(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let file = try await cloud.upload("hello", "f")
            let sink = RecordingSink()
            try await cloud.alice.download(file.reference, range: ByteRange(3, 100), to: sink)
            #expect(sink.bytes.suffix(2) == Array("lo".utf8)[...])
        }
    }

    @Suite struct Writing {
        @Test(arguments: CloudVariant.allCases)
        func anEmptyFileIsAFile(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let file = try await cloud.upload("", "empty")
            #expect(file.size == 0)
            let sink = RecordingSink()
            try await cloud.alice.download(file.reference, range: nil, to: sink)
            #expect(sink.bytes.isEmpty)
            #expect(sink.beginCount == 1)
        }

        @Test(arguments: CloudVariant.allCases)
        func twentyMegabytesComeBackTheSame(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            var random = SeededRandom(seed: 1)
            var content: [UInt8] = []
            content.reserveCapacity(20 << 20)
            while content.count < 20 << 20 {
                withUnsafeBytes(of: random.next()) { content.append(contentsOf: $0) }
            }
            let file = try await cloud.alice.upload(
                content, name: "big", to: cloud.folder, from: cloud.files)
            #expect(file.size == 20 << 20)
            let same = try await cloud.bob.bytes(of: file) == content
            #expect(same)
        }

        @Test(arguments: CloudVariant.allCases)
        func anUploadOntoANameDoesWhatIsDeclared(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let first = try await cloud.upload("1", "a")
            switch variant.uploadOntoName {
            case .conflict:
                #expect(
                    try await failureKind { _ = try await cloud.upload("22", "a") }
                        == .nameConflict)
                #expect(try await cloud.alice.bytes(of: first) == Array("1".utf8))
            case .revision:
                let second = try await cloud.upload("22", "a")
                #expect(second.reference.id == first.reference.id)
                #expect(second.revision != first.revision)
                #expect(try await cloud.alice.bytes(of: first) == Array("22".utf8))
            }
            #expect(cloud.alice.capabilities.uploadOntoName == variant.uploadOntoName)
            #expect(try await cloud.alice.entries(of: cloud.folder).count == 1)
        }

        @Test(arguments: CloudVariant.allCases)
        func aBigUploadOntoANameIsRefusedAsSuch(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            _ = try await cloud.alice.createFolder(name: "taken", in: cloud.folder)
            let content = [UInt8](repeating: 7, count: 8 << 20)
            #expect(
                try await failureKind {
                    _ = try await cloud.alice.upload(
                        content, name: "taken", to: cloud.folder, from: cloud.files)
                } == .nameConflict)
        }

        @Test(arguments: CloudVariant.leitzCloud)
        func whatPolicyRefusesHasItsReason(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            #expect(
                try await failureKind { _ = try await cloud.upload("1", "a.forbidden") }
                    == .invalidExtension)
            let file = try await cloud.upload("1", "a")
            #expect(
                try await failureKind {
                    _ = try await cloud.alice.relocate(
                        file.reference, to: RelocationTarget(name: "a.FORBIDDEN"))
                } == .invalidExtension)
            let path = try cloud.files.write([], to: "sparse")
            try sparse(path, size: 65 << 20)
            #expect(
                try await failureKind {
                    _ = try await cloud.alice.upload(
                        LocalContent(path: path, size: 65 << 20), name: "b", to: cloud.folder)
                } == .tooLarge)
        }

        @Test(arguments: CloudVariant.allCases)
        func aFileThatGotShorterFailsTheUpload(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let path = try cloud.files.write([1, 2, 3], to: "short")
            #expect(
                try await failureKind {
                    _ = try await cloud.alice.upload(
                        LocalContent(path: path, size: 300_000), name: "b", to: cloud.folder)
                } == .localFile)
            #expect(
                try await failureKind {
                    _ = try await cloud.alice.upload(
                        LocalContent(path: path + "-absent", size: 1), name: "b", to: cloud.folder)
                } == .localFile)
            #expect(try await cloud.alice.entries(of: cloud.folder).isEmpty)
        }

        @Test(arguments: CloudVariant.allCases)
        func anUploadOntoSomethingUnseenIsRefused(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            guard cloud.alice.capabilities.checksUploadTarget else {
                #expect(
                    try await failureKind {
                        _ = try await cloud.upload("1", "a", onto: .nothing)
                    } == .unsupported)
                return
            }
            let first = try await cloud.upload("1", "a", onto: .nothing)
            #expect(
                try await failureKind { _ = try await cloud.upload("x", "a", onto: .nothing) }
                    == .nameConflict)
            let revision = try #require(first.revision)
            let second = try await cloud.upload("22", "a", onto: .revision(revision))
            #expect(second.revision != first.revision)
            #expect(second.reference == first.reference)
            for target in [UploadTarget.revision(revision), .revision("0 0 other")] {
                #expect(
                    try await failureKind { _ = try await cloud.upload("x", "a", onto: target) }
                        == .revisionChanged)
            }
            #expect(
                try await failureKind {
                    _ = try await cloud.upload("x", "absent", onto: .revision(revision))
                } == .revisionChanged)
            #expect(try await cloud.alice.bytes(of: second) == Array("22".utf8))
            // Long enough ago that no server calls its ETag weak.
            try cloud.age(second)
            let old = try await cloud.alice.item(second.reference)
            let third = try await cloud.upload(
                "333", "a", onto: .revision(try #require(old.revision)))
            #expect(try await cloud.alice.bytes(of: third) == Array("333".utf8))
            #expect(
                try await failureKind {
                    _ = try await cloud.upload("x", "a", onto: .revision(old.revision ?? ""))
                } == .revisionChanged)
            #expect(try await cloud.alice.entries(of: cloud.folder).count == 1)
        }

        @Test(arguments: CloudVariant.webDAV)
        func onlyTheRevisionMeantIsReadOrDeleted(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let first = try await cloud.upload("one", "a")
            let second = try await cloud.upload("second", "a")
            for range in [nil, ByteRange(0, 2)] {
                let sink = RecordingSink()
                #expect(
                    try await failureKind {
                        try await cloud.alice.download(
                            second.reference, revision: first.revision, range: range, to: sink)
                    } == .revisionChanged)
                #expect(sink.beginCount == 0)
            }
            let sink = RecordingSink()
            try await cloud.alice.download(
                second.reference, revision: second.revision, range: nil, to: sink)
            #expect(sink.bytes == Array("second".utf8))
            #expect(
                try await failureKind {
                    try await cloud.alice.delete(second.reference, revision: first.revision)
                } == .revisionChanged)
            #expect(try await cloud.alice.entries(of: cloud.folder).count == 1)
            try await cloud.alice.delete(second.reference, revision: second.revision)
            #expect(try await cloud.alice.entries(of: cloud.folder).isEmpty)
        }

        @Test(arguments: CloudVariant.webDAV)
        func aFileIsNotTakenForTheFolderThatHasItsName(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let file = try await cloud.upload("1", "a")
            try await cloud.bob.delete(file.reference)
            let folder = try await cloud.bob.createFolder(name: "a", in: cloud.folder)
            _ = try await cloud.bob.upload([1], name: "f", to: folder.reference, from: cloud.files)
            for refused in [
                try await failureKind { try await cloud.alice.delete(file.reference) },
                try await failureKind { _ = try await cloud.alice.item(file.reference) },
            ] {
                #expect(refused == .notFound)
            }
            #expect(try await cloud.alice.entries(of: folder.reference).count == 1)
        }

        @Test(arguments: CloudVariant.allCases)
        func aSinkCanEndADownload(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let file = try await cloud.upload("hello", "f")
            let sink = RecordingSink(failingWith: CloudStorageError(.localFile, "disk full"))
            #expect(
                try await failureKind {
                    try await cloud.alice.download(file.reference, range: nil, to: sink)
                } == .localFile)
            #expect(sink.beginCount == 1)
        }
    }
}
