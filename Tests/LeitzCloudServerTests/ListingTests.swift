import AsyncHTTPClient
import Foundation
import LeitzCloudAPI
import LeitzCloudServer
import NIOCore
import NIOHTTP1
import Testing

@Suite struct ListingTests {
    @Test func objectsHaveTheDocumentedFieldsOnly() async throws {
        try await CloudHarness.run { harness async throws in
            let folder = try await harness.makeFolder("Ordner")
            _ = try await harness.uploaded("Datei %22ä%22.txt", "inhalt", folder: folder.id)
            let answer = try await harness.get(
                harness.files + "/folder/\(folder.id)?include_permissions=true")
            let object = try #require(
                try JSONSerialization.jsonObject(with: Data(answer.body.readableBytesView))
                    as? [String: Any])
            #expect(
                Set(object.keys) == [
                    "type", "id", "root_id", "path", "is_deleted", "is_locked", "locks",
                    "permissions", "hash", "children",
                ])
            let children = try #require(object["children"] as? [[String: Any]])
            let file = try #require(children.first)
            #expect(
                Set(file.keys) == [
                    "type", "id", "revision_id", "root_id", "path", "is_deleted", "is_locked",
                    "locks", "created", "modified", "size", "size_formatted", "permissions",
                ])
            #expect(file["path"] as? String == "/Ordner/Datei \"ä\".txt")
            #expect(file["size"] as? Int == 6)
            #expect(file["size_formatted"] as? String == "6b")
            #expect(file["modified"] as? String == WireDate.format(harness.clock.now))
            #expect(file["permissions"] as? [String] == fullAccess)
            let root = try await harness.get(harness.files).decode(WireRoot.self)
            #expect(root.type == "root")
            #expect(root.name == "Team")
            #expect(root.path == "/")
            #expect(root.rootType == "share")
            #expect(root.spaceUsed == 6)
            #expect(root.permissions == nil)
        }
    }

    @Test func oneLevelOnlyAndZeroIsTheRoot() async throws {
        try await CloudHarness.run { harness async throws in
            let outer = try await harness.makeFolder("a")
            let inner = try await harness.makeFolder("b", in: outer.id)
            _ = try await harness.uploaded("c", folder: inner.id)
            #expect(try await harness.paths() == ["/a"])
            #expect(try await harness.paths(0) == ["/a"])
            #expect(try await harness.paths(outer.id) == ["/a/b"])
            #expect(try await harness.paths(inner.id) == ["/a/b/c"])
            let bare = try await harness.listing(outer.id, "?include_children=false")
            #expect(bare.children == nil)
            #expect(bare.hash == nil)
        }
    }

    @Test func deletedChildrenAreShownByDefault() async throws {
        try await CloudHarness.run { harness async throws in
            let file = try await harness.uploaded("a")
            let deleted = try await harness.post(harness.files + "/\(file.id)/delete")
            #expect(deleted.text == #"{"status":"ok"}"#)
            let all = try await harness.listing()
            #expect(all.children?.map(\.isDeleted) == [true])
            #expect(try await harness.paths() == [])
            let metadata = try await harness.get(harness.files + "/\(file.id)")
            #expect(try metadata.decode(WireItem.self).isDeleted == true)
        }
    }

    @Test func theHashAnswersNotModifiedUntilSomethingShownChanges() async throws {
        try await CloudHarness.run { harness async throws in
            let outer = try await harness.makeFolder("outer")
            let folder = try await harness.makeFolder("f", in: outer.id)
            let place = harness.files + "/folder/\(folder.id)"
            var hashes: Set<String> = []

            /// The hash now; checks that it is new, 40 hex digits, and answers 304.
            func fresh(_ query: String = "", _ comment: Comment) async throws {
                let listing = try await harness.get(place + "?" + query).decode(WireListing.self)
                let hash = try #require(listing.hash)
                #expect(hash.utf8.count == 40 && hash.allSatisfy(\.isHexDigit))
                #expect(hashes.insert(hash).inserted, comment)
                let again = try await harness.get(place + "?hash=\(hash)&" + query)
                #expect(again.status == 304, comment)
            }

            try await fresh("", "empty")
            for flag in [
                "include_deleted=false", "include_lock_info=false", "include_permissions=true",
            ] {
                try await fresh(flag, "flags")
            }
            let file = try await harness.uploaded("a", folder: folder.id)
            try await fresh("", "upload")
            _ = try await harness.post(harness.files + "/\(file.id)/rename", [("name", "b")])
            try await fresh("", "rename")
            _ = try await harness.post(harness.files + "/\(file.id)/lock", [("duration", "5")])
            try await fresh("", "lock")
            harness.clock.advance(301)
            let expired = try await harness.listing(folder.id)
            #expect(expired.children?.first?.isLocked == false)
            let sub = try await harness.makeFolder("sub", in: folder.id)
            try await fresh("", "create folder")
            _ = try await harness.post(
                harness.files + "/\(file.id)/move", [("to_folder_id", "\(sub.id)")])
            try await fresh("", "move out")
            _ = try await harness.post(harness.files + "/folder/\(sub.id)/delete")
            try await fresh("", "delete")
            _ = try await harness.post(
                harness.files + "/folder/\(outer.id)/rename", [("name", "new")])
            try await fresh("", "the paths changed")
            _ = try await harness.post(harness.files + "/folder/\(outer.id)/lock")
            try await fresh("", "the folder above was locked")
            #expect(try await harness.get(place + "?hash=").status == 200)
        }
    }

    @Test func lockExpiryAloneChangesTheHash() async throws {
        try await CloudHarness.run { harness async throws in
            let file = try await harness.uploaded("a")
            _ = try await harness.post(harness.files + "/\(file.id)/lock", [("duration", "1")])
            let locked = try #require(try await harness.listing().hash)
            #expect(try await harness.get(harness.files + "?hash=\(locked)").status == 304)
            harness.clock.advance(61)
            #expect(try await harness.get(harness.files + "?hash=\(locked)").status == 200)
        }
    }

    @Test func aFolderOf100000FilesIsListedWhole() async throws {
        try await CloudHarness.run { harness async throws in
            let folder = try await harness.makeFolder("big")
            try await harness.cloud.fill(
                folder: folder.id, root: harness.root, person: harness.person, files: 100_000)
            let request = harness.request(harness.files + "/folder/\(folder.id)")
            let response = try await harness.client.execute(request, timeout: .seconds(60))
            #expect(response.headers["transfer-encoding"] == ["chunked"])
            var bytes = 0
            var files = 0
            for try await piece in response.body {
                bytes += piece.readableBytes
                files += piece.readableBytesView.count { $0 == UInt8(ascii: "{") }
            }
            #expect(files == 100_001)
            #expect(bytes > 10_000_000)
            let hash = try #require(
                try await harness.listing(folder.id).hash)
            let place = harness.files + "/folder/\(folder.id)"
            #expect(try await harness.get(place + "?hash=\(hash)").status == 304)
            let listing = try await harness.listing(folder.id)
            #expect(Set(listing.children?.map(\.id) ?? []).count == 100_000)
        }
    }
}
