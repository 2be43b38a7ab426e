import CloudStorage
import FileSystemTypes
import TestSupport
import Testing

extension CloudStorageContract {
    @Suite struct Namespace {
        @Test(arguments: CloudVariant.allCases)
        func renamingKeepsIdAndContent(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let file = try await cloud.upload("1", "a")
            let renamed = try await cloud.alice.relocate(
                file.reference, to: RelocationTarget(name: "b"))
            #expect(renamed.name == "b")
            #expect(renamed.reference.id == file.reference.id)
            if variant.keepsRevisionOnMove { #expect(renamed.revision == file.revision) }
            #expect(renamed.reference.path == cloud.folder.path + "/b")
            #expect(try await cloud.alice.entries(of: cloud.folder).keys.sorted() == ["b"])
            #expect(try await cloud.alice.bytes(of: renamed) == Array("1".utf8))
        }

        @Test(arguments: CloudVariant.allCases)
        func movingKeepsIdAndName(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let target = try await cloud.alice.createFolder(name: "target", in: cloud.folder)
            let file = try await cloud.upload("1", "a")
            let moved = try await cloud.alice.relocate(
                file.reference, to: RelocationTarget(folder: target.reference))
            #expect(moved.name == "a")
            #expect(moved.reference.id == file.reference.id)
            #expect(try await cloud.alice.entries(of: target.reference).keys.sorted() == ["a"])
            #expect(try await cloud.alice.entries(of: cloud.folder).keys.sorted() == ["target"])
            let unique = "up \(UInt64.random(in: 0 ... .max))"
            let named = try await cloud.alice.relocate(
                moved.reference, to: RelocationTarget(name: unique))
            let top = try await cloud.alice.relocate(
                named.reference, to: RelocationTarget(folder: .top(of: cloud.root)))
            #expect(top.reference.path == "/" + unique)
            try await cloud.alice.delete(top.reference)
        }

        @Test(arguments: CloudVariant.allCases)
        func foldersMoveWithWhatIsInThem(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let one = try await cloud.alice.createFolder(name: "one", in: cloud.folder)
            let two = try await cloud.alice.createFolder(name: "two", in: cloud.folder)
            let file = try await cloud.alice.upload(
                [1], name: "f", to: one.reference, from: cloud.files)
            let moved = try await cloud.alice.relocate(
                one.reference, to: RelocationTarget(folder: two.reference))
            #expect(moved.reference.id == one.reference.id)
            #expect(moved.reference.path == cloud.folder.path + "/two/one")
            let newPath = cloud.folder.path + "/two/one/f"
            guard variant.addressesByPath else {
                #expect(try await cloud.alice.item(file.reference).reference.path == newPath)
                return
            }
            // A path that leads nowhere is not followed to where the item has gone.
            #expect(cloud.alice.capabilities.addressesByPath)
            #expect(
                try await failureKind { _ = try await cloud.alice.item(file.reference) }
                    == .notFound)
            var reference = file.reference
            reference.path = newPath
            #expect(try await cloud.alice.item(reference).size == 1)
        }

        @Test(arguments: CloudVariant.allCases)
        func nothingIsEverReplaced(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let first = try await cloud.upload("1", "a")
            let second = try await cloud.upload("2", "b")
            let folder = try await cloud.alice.createFolder(name: "c", in: cloud.folder)
            _ = try await cloud.alice.upload(
                [3], name: "a", to: folder.reference, from: cloud.files)
            for target in [RelocationTarget(name: "b"), RelocationTarget(folder: folder.reference)]
            {
                #expect(
                    try await failureKind {
                        _ = try await cloud.alice.relocate(first.reference, to: target)
                    } == .nameConflict)
            }
            #expect(
                try await failureKind {
                    _ = try await cloud.alice.createFolder(name: "c", in: cloud.folder)
                } == .nameConflict)
            #expect(
                try await failureKind {
                    _ = try await cloud.alice.createFolder(name: "a", in: cloud.folder)
                } == .nameConflict)
            #expect(try await cloud.alice.bytes(of: second) == Array("2".utf8))
        }

        @Test(arguments: CloudVariant.webDAV)
        func folderAndNameChangeInOneCall(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            #expect(cloud.alice.capabilities.relocatesInOneCall)
            #expect(!cloud.alice.capabilities.movesBetweenRoots)
            let folder = try await cloud.alice.createFolder(name: "d", in: cloud.folder)
            let file = try await cloud.upload("1", "a")
            let moved = try await cloud.alice.relocate(
                file.reference, to: RelocationTarget(folder: folder.reference, name: "b"))
            #expect(moved.reference.path == cloud.folder.path + "/d/b")
            let elsewhere = RelocationTarget(folder: .top(of: RootIdentifier("999999")))
            #expect(
                try await failureKind {
                    _ = try await cloud.alice.relocate(moved.reference, to: elsewhere)
                } == .unsupported)
            #expect(
                try await failureKind {
                    _ = try await cloud.alice.relocate(
                        folder.reference,
                        to: RelocationTarget(folder: folder.reference, name: "inside"))
                } == .invalidRequest)
            #expect(try await cloud.alice.bytes(of: moved) == Array("1".utf8))
        }

        @Test(arguments: CloudVariant.leitzCloud)
        func twoChangesAtOnceAreUnsupported(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            #expect(!cloud.alice.capabilities.relocatesInOneCall)
            #expect(!cloud.alice.capabilities.movesBetweenRoots)
            let file = try await cloud.upload("1", "a")
            let both = RelocationTarget(folder: cloud.folder, name: "b")
            let elsewhere = RelocationTarget(folder: .top(of: RootIdentifier("999999")))
            for target in [both, elsewhere] {
                #expect(
                    try await failureKind {
                        _ = try await cloud.alice.relocate(file.reference, to: target)
                    } == .unsupported)
            }
        }

        @Test(arguments: CloudVariant.allCases)
        func deletingTakesEverythingBelow(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let folder = try await cloud.alice.createFolder(name: "d", in: cloud.folder)
            let file = try await cloud.alice.upload(
                [1], name: "f", to: folder.reference, from: cloud.files)
            try await cloud.alice.delete(folder.reference)
            #expect(try await cloud.alice.entries(of: cloud.folder).isEmpty)
            for gone in [folder.reference, file.reference] {
                #expect(
                    try await failureKind { _ = try await cloud.alice.item(gone) } == .notFound)
            }
            #expect(
                try await failureKind {
                    _ = try await cloud.alice.list(folder.reference, validator: nil)
                } == .notFound)
            #expect(
                try await failureKind {
                    let sink = RecordingSink()
                    try await cloud.alice.download(file.reference, range: nil, to: sink)
                } == .notFound)
            // The name is free again.
            _ = try await cloud.alice.createFolder(name: "d", in: cloud.folder)
        }

        private static let names = [
            "ünïcödé 日本語 🎉", String(repeating: "x", count: 255),
            String(repeating: "ü", count: 127), "quote\"s and 'these'", "100%", "50%25", "a%22b",
            "%0D%0A", " leading and trailing ", ".hidden", "...", "a.b.c", "semi;colon", "a&b=c+d",
            "#hash?query", "~tilde~1.txt", "e\u{301}", "-dash", "name=\"x\"; filename=\"y\"",
            "\u{FF05}41", "a\u{FF05}2E", "tab-less\u{200B}zero",
        ]

        @Test(arguments: CloudVariant.allCases)
        func namesComeBackAsTheyWere(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let folders = try await cloud.alice.createFolder(name: "folders", in: cloud.folder)
            let renamed = try await cloud.alice.createFolder(name: "renamed", in: cloud.folder)
            let names = Self.names.filter { variant.handles($0) }
            for (index, name) in names.enumerated() {
                let file = try await cloud.upload(String(index), name)
                #expect(Array(file.name.utf8) == Array(name.utf8))
                let folder = try await cloud.alice.createFolder(name: name, in: folders.reference)
                #expect(Array(folder.name.utf8) == Array(name.utf8))
                let other = try await cloud.alice.upload(
                    [1], name: "n\(index)", to: renamed.reference, from: cloud.files)
                let moved = try await cloud.alice.relocate(
                    other.reference, to: RelocationTarget(name: name))
                #expect(Array(moved.name.utf8) == Array(name.utf8))
            }
            for place in [cloud.folder, folders.reference, renamed.reference] {
                let listed = Set(try await cloud.bob.entries(of: place).keys.map { Array($0.utf8) })
                let missing = names.filter { !listed.contains(Array($0.utf8)) }
                #expect(missing.isEmpty)
            }
        }

        @Test(arguments: CloudVariant.webDAV)
        func aNameTheServerCutsIsUndone(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let file = try await cloud.upload("1", "a")
            for name in ["semi;colon", "question?mark"] {
                let kind = try await failureKind {
                    let renamed = try await cloud.alice.relocate(
                        file.reference, to: RelocationTarget(name: name))
                    _ = try await cloud.alice.relocate(
                        renamed.reference, to: RelocationTarget(name: "a"))
                }
                #expect(kind == (variant.handles(name) ? nil : .invalidName))
                #expect(try await cloud.alice.entries(of: cloud.folder).keys.sorted() == ["a"])
            }
        }

        @Test(arguments: CloudVariant.allCases)
        func namesThatCannotBeAreRefused(variant: CloudVariant) async throws {
            let cloud = try await ContractClouds.cloud(variant)
            let tooLong = String(repeating: "ü", count: 128)
            for (name, kind) in [
                ("", CloudStorageError.Kind.invalidName), (".", .invalidName), ("..", .invalidName),
                ("a/b", .invalidName), ("a\0b", .invalidName), ("a\nb", .invalidName),
                (tooLong, .nameTooLong),
            ] {
                #expect(try await failureKind { _ = try await cloud.upload("1", name) } == kind)
                #expect(
                    try await failureKind {
                        _ = try await cloud.alice.createFolder(name: name, in: cloud.folder)
                    } == kind)
            }
            #expect(try await cloud.alice.entries(of: cloud.folder).isEmpty)
        }
    }
}
