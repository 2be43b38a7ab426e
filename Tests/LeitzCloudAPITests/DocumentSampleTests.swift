import FoundationEssentials
import LeitzCloudAPI
import Testing

/// The example objects of the API document, word for word.
@Suite struct DocumentSampleTests {
    private func decode<Value: Decodable>(_ type: Value.Type, _ text: String) throws -> Value {
        try JSONDecoder().decode(type, from: Data(text.utf8))
    }

    @Test func file() throws {
        let file = try decode(
            WireItem.self,
            """
            {"created": "2015-01-01T01:02:03", "id": 1, "is_deleted": false, "is_locked": false,
             "modified": "2015-01-01T02:03:04", "path": "/path/to/file.ext",
             "permissions": ["FILE_VIEW", "FILE_READ", "FILE_WRITE"], "revision_id": 1,
             "root_id": 1, "size": 12205, "size_formatted": "11.92k", "type": "file"}
            """)
        #expect(file.type == .file)
        #expect(file.path == "/path/to/file.ext")
        #expect(file.size == 12_205)
        #expect(file.revisionID == 1)
        #expect(
            file.permissions == [PermissionWord.view, PermissionWord.read, PermissionWord.write])
        #expect(file.modified.flatMap(WireDate.parse) == 1_420_077_784)
        #expect(file.name == nil)
        #expect(try decode(WireItem.self, text(file)) == file)
    }

    @Test func rootWithChildren() throws {
        let text = """
            {"children": [
                {"id": 2, "is_deleted": false, "is_locked": false, "path": "/path", "root_id": 1,
                 "type": "folder"}],
             "hash": "5f2a", "id": 1, "is_locked": false, "name": "Example Files", "path": "/",
             "permissions": ["FILE_VIEW", "FILE_READ", "FILE_WRITE"], "root_type": "sync",
             "space_used": 10000, "space_used_formatted": "10k", "type": "root"}
            """
        let root = try decode(WireRoot.self, text)
        #expect(root.name == "Example Files")
        #expect(root.rootType == "sync")
        #expect(root.spaceUsed == 10_000)
        let listing = try decode(WireListing.self, text)
        #expect(listing.children?.map(\.path) == ["/path"])
        #expect(listing.hash == "5f2a")
    }

    @Test func share() throws {
        let share = try decode(
            WireShare.self,
            """
            {"creator_id": 2, "delete_access": false, "expires": null, "file_id": 4,
             "folder_id": null, "hash": "06d0d4833ea65c", "id": 7, "read_access": true,
             "root_id": 3, "type": "share", "write_access": false}
            """)
        #expect(share.hash == "06d0d4833ea65c")
        #expect(share.fileID == 4)
        #expect(share.folderID == nil)
        #expect(share.expires == nil)
    }

    @Test func person() throws {
        let person = try decode(
            WirePerson.self,
            """
            {"can_share": true, "company_policy": {"type": "policy", "max_file_size": 300,
             "space_quota": "1000", "user_lock_files": false,
             "excluded_extensions": ".tmp,.bak"},
             "display_name": "First Last", "email": "user@example.com", "first_name": "First",
             "id": 1, "last_name": "Last", "root_id": 1, "roots": [], "space_quota": 10000,
             "space_quota_formatted": "10k", "space_usage": 100, "space_usage_formatted": "100b",
             "type": "person", "username": ""}
            """)
        #expect(person.spaceQuota?.value == 10_000)
        #expect(person.companyPolicy?.spaceQuota?.value == 1_000)
        #expect(person.companyPolicy?.maxFileSize?.value == 300)
        #expect(person.companyPolicy?.userLockFiles == false)
    }

    @Test func errorsAndStatus() throws {
        let error = try decode(
            WireError.self,
            """
            {"error": "insecure_transport", "error_description": "Requests MUST utilize https."}
            """)
        #expect(error.word == .insecureTransport)
        #expect(try decode(WireError.self, #"{"error": "unheard_of"}"#).word == nil)
        #expect(try decode(WireStatus.self, #"{"status": "not_modified"}"#) == .notModified)
        #expect(try decode(WireVersion.self, #"{"version": "2.0.9"}"#).version == "2.0.9")
        for word in ErrorWord.allCases {
            #expect(try decode(WireError.self, text(WireError(word))).word == word)
        }
    }

    @Test(
        arguments: [
            ("12", 12), ("\"12\"", 12), ("\"\"", nil), ("null", nil), ("1.5", 1), ("true", nil),
            ("\"x\"", nil), ("1e300", nil),
        ] as [(String, Int64?)])
    func lenientIntegers(text: String, value: Int64?) throws {
        #expect(try decode([LenientInteger].self, "[\(text)]").first?.value == value)
    }

    @Test func locksOfUnknownShapeAreStillLocks() throws {
        let item = try decode(
            WireItem.self,
            """
            {"type": "file", "id": 1, "root_id": 1, "path": "/a", "is_locked": true,
             "locks": ["someone", {"email": 7, "person_id": 3}, null]}
            """)
        #expect(item.locks?.count == 3)
        #expect(item.locks?[1].personID == 3)
    }

    private func text(_ value: some Encodable) throws -> String {
        String(decoding: try JSONEncoder().encode(value), as: UTF8.self)
    }
}
