import CloudStorage
import FileSystemTypes
import TestSupport
import Testing

extension CloudStorageContract {
    @Suite struct Locks {
        @Test(arguments: CloudVariant.allCases)
        func aLockKeepsOthersOut(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let file = try await cloud.upload("1", "a")
            let seconds = try #require(cloud.alice.capabilities.lockSeconds)
            try await cloud.alice.lock(file.reference, seconds: seconds)
            // Extending one's own lock is no error.
            try await cloud.alice.lock(file.reference, seconds: seconds)
            for refused in [
                try await failureKind {
                    try await cloud.bob.lock(file.reference, seconds: seconds)
                },
                try await failureKind { try await cloud.bob.delete(file.reference) },
                try await failureKind {
                    _ = try await cloud.bob.relocate(
                        file.reference, to: RelocationTarget(name: "b"))
                },
            ] {
                #expect(refused == .locked)
            }
            let seen = try await cloud.bob.entries(of: cloud.folder)["a"]
            if variant.showsLocks { #expect(seen?.isLocked == true) }
            if variant.namesLockHolders { #expect(seen?.lockHolder == "alice") }
            let own = try await cloud.alice.entries(of: cloud.folder)["a"]
            #expect(own?.isLocked == false)
            try await cloud.alice.unlock(file.reference)
            #expect(try await cloud.bob.entries(of: cloud.folder)["a"]?.isLocked == false)
            try await cloud.bob.lock(file.reference, seconds: 1)
            try await cloud.bob.unlock(file.reference)
        }

        @Test(arguments: CloudVariant.allCases)
        func givingBackALockOneHasNotIsNoError(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let file = try await cloud.upload("1", "a")
            try await cloud.alice.unlock(file.reference)
            try await cloud.bob.lock(file.reference, seconds: 60)
            try await cloud.alice.unlock(file.reference)
            let seen = try await cloud.alice.entries(of: cloud.folder)["a"]
            if variant.showsLocks { #expect(seen?.isLocked == true) }
            #expect(
                try await failureKind { try await cloud.alice.delete(file.reference) } == .locked)
            try await cloud.bob.unlock(file.reference)
        }

        @Test(arguments: CloudVariant.allCases)
        func foldersCanBeLocked(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            try await cloud.alice.lock(cloud.folder, seconds: 60)
            if variant.locksFolders {
                #expect(
                    try await failureKind {
                        _ = try await cloud.bob.createFolder(name: "x", in: cloud.folder)
                    } == .locked)
            }
            _ = try await cloud.alice.createFolder(name: "x", in: cloud.folder)
            try await cloud.alice.unlock(cloud.folder)
            _ = try await cloud.bob.createFolder(name: "y", in: cloud.folder)
        }

        @Test(arguments: CloudVariant.allCases)
        func aFilesUnlockDoesNotEndTheLockOfItsFolder(variant: CloudVariant) async throws {
            guard variant.locksFolders else { return }
            let cloud = try await ContractClouds.cloud(variant)
            let file = try await cloud.upload("1", "a")
            try await cloud.alice.lock(cloud.folder, seconds: 60)
            try await cloud.alice.lock(file.reference, seconds: 60)
            try await cloud.alice.unlock(file.reference)
            #expect(
                try await failureKind {
                    _ = try await cloud.bob.createFolder(name: "x", in: cloud.folder)
                } == .locked)
            try await cloud.alice.unlock(cloud.folder)
            _ = try await cloud.bob.createFolder(name: "x", in: cloud.folder)
        }
    }

    @Suite struct OwnLocks {
        @Test(arguments: CloudVariant.webDAV)
        func theHolderOfALockCanWrite(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let file = try await cloud.upload("1", "a")
            try await cloud.alice.lock(file.reference, seconds: 600)
            let revision = try #require(file.revision)
            let next = try await cloud.upload("22", "a", onto: .revision(revision))
            #expect(try await cloud.alice.bytes(of: next) == Array("22".utf8))
            #expect(
                try await failureKind {
                    _ = try await cloud.bob.upload(
                        [3], name: "a", to: cloud.folder, from: cloud.files)
                } == .locked)
            let moved = try await cloud.alice.relocate(
                next.reference, to: RelocationTarget(name: "b"))
            // A lock is of the path; what was moved away has none.
            try await cloud.alice.unlock(moved.reference)
            try await cloud.bob.delete(moved.reference)
        }
    }

    @Suite struct LeftLocks {
        /// Whatever a server does with the lock of what is moved: the old name is free.
        @Test(arguments: CloudVariant.webDAV)
        func aMovedFileLeavesNoLock(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let file = try await cloud.upload("1", "a")
            try await cloud.alice.lock(file.reference, seconds: 600)
            _ = try await cloud.alice.relocate(file.reference, to: RelocationTarget(name: "b"))
            let next = try await cloud.bob.upload(
                [2], name: "a", to: cloud.folder, from: cloud.files)
            #expect(try await cloud.bob.bytes(of: next) == [2])
        }

        /// A lock whose holder has crashed keeps its next run from nothing, and others until then.
        @Test(arguments: CloudVariant.webDAV.filter(\.namesLockHolders), [false, true])
        func theNextRunIsNotLockedOut(variant: CloudVariant, movesFolder: Bool) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let inner = try await cloud.alice.createFolder(name: "inner", in: cloud.folder)
            let content = LocalContent(path: try cloud.files.write([1], to: "1"), size: 1)
            let file = try await cloud.alice.upload(content, name: "a", to: inner.reference)
            try await cloud.alice.lock(file.reference, seconds: 600)
            let moved = movesFolder ? inner.reference : file.reference
            #expect(
                try await failureKind {
                    _ = try await cloud.bob.relocate(moved, to: RelocationTarget(name: "bob's"))
                } == .locked)
            let item = try await cloud.nextAlice.relocate(moved, to: RelocationTarget(name: "b"))
            try await cloud.nextAlice.delete(item.reference)
        }
    }

    @Suite struct Changes {
        @Test(arguments: CloudVariant.webDAV.filter { $0 != .webDAVFace })
        func thereIsNoFeed(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            #expect(
                try await failureKind {
                    _ = try await cloud.alice.changes(in: cloud.root, since: nil)
                } == .unsupported)
        }

        @Test func theETagOfTheTopChangesWithAnythingBelow() async throws {
            let cloud = try await ContractClouds.cloud(.webDAVFace)
            #expect(cloud.alice.capabilities.cursorStandsForTree)
            let start = try await cloud.bob.changes(in: cloud.root, since: nil)
            _ = try await cloud.upload("1", "deep")
            let page = try await cloud.bob.changes(in: cloud.root, since: start.cursor)
            #expect(page.cursor != start.cursor)
            #expect(page.items.isEmpty)
        }

        @Test(arguments: CloudVariant.leitzCloud)
        func theFeedTellsWhatOthersDid(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let start = try await cloud.bob.changes(in: cloud.root, since: nil)
            #expect(start.items.isEmpty)
            let kept = try await cloud.upload("1", "kept")
            let gone = try await cloud.upload("2", "gone")
            try await cloud.alice.delete(gone.reference)
            let page = try await cloud.bob.changes(in: cloud.root, since: start.cursor)
            let seen = page.items.filter {
                [kept.reference.id, gone.reference.id].contains($0.reference.id)
            }
            #expect(seen.contains { $0.reference.id == kept.reference.id && !$0.isDeleted })
            #expect(seen.contains { $0.reference.id == gone.reference.id && $0.isDeleted })
            let again = try await cloud.bob.changes(in: cloud.root, since: page.cursor)
            #expect(!again.items.contains { $0.reference.id == kept.reference.id })
            _ = try await cloud.alice.relocate(
                kept.reference, to: RelocationTarget(name: "renamed"))
            let last = try await cloud.bob.changes(in: cloud.root, since: again.cursor)
            #expect(last.items.contains { $0.name == "renamed" })
        }

        @Test(arguments: CloudVariant.leitzCloud)
        func aStrangeCursorIsRefused(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            #expect(
                try await failureKind {
                    _ = try await cloud.alice.changes(in: cloud.root, since: "yesterday")
                } == .invalidRequest)
        }
    }

    @Suite struct Refusals {
        @Test(arguments: CloudVariant.allCases)
        func whatIsNotThereIsNotFound(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let absent = ItemReference(
                root: cloud.root, kind: .file, id: "99999999", path: "/absent")
            let absentFolder = ItemReference(
                root: cloud.root, kind: .folder, id: "99999999", path: "/absent")
            let kinds = [
                try await failureKind { _ = try await cloud.alice.item(absent) },
                try await failureKind { try await cloud.alice.delete(absent) },
                try await failureKind { try await cloud.alice.lock(absent, seconds: 60) },
                try await failureKind {
                    _ = try await cloud.alice.list(absentFolder, validator: nil)
                },
                try await failureKind {
                    _ = try await cloud.alice.createFolder(name: "x", in: absentFolder)
                },
                try await failureKind {
                    try await cloud.alice.download(absent, range: nil, to: RecordingSink())
                },
            ]
            #expect(kinds.allSatisfy { $0 == .notFound })
        }

        @Test(arguments: CloudVariant.allCases)
        func strangeReferencesNeverReachTheServer(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let strange =
                variant.addressesByPath
                ? ItemReference(root: cloud.root, kind: .file, id: nil, path: "/x/../../y")
                : ItemReference(
                    root: cloud.root, kind: .file, id: "1/../../person", path: "/x")
            #expect(
                try await failureKind { _ = try await cloud.alice.item(strange) }
                    == .invalidRequest)
            #expect(
                try await failureKind {
                    _ = try await cloud.alice.list(
                        ItemReference(root: cloud.root, kind: .file, id: "1", path: "/x"),
                        validator: nil)
                } == .invalidRequest)
            #expect(
                try await failureKind { try await cloud.alice.delete(.top(of: cloud.root)) }
                    == .unsupported)
        }
    }
}
