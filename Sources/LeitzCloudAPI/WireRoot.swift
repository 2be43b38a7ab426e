/// A root object ("Root-Objekt"); its children are decoded with `WireListing`.
package struct WireRoot: WireObject {
    package struct Fields: Sendable {
        package let path = WireField<String>("path")
        package let isLocked = WireField<Bool>("is_locked")
        package let locks = WireField<[WireLock]>("locks")
        /// `sync`, `share` or `backup`.
        package let rootType = WireField<String>("root_type")
        /// Bytes.
        package let spaceUsed = WireField<Int64>("space_used")
        package let spaceUsedFormatted = WireField<String>("space_used_formatted")
        package let permissions = WireField<[String]>("permissions")
        /// Real servers send it; the document's objects don't have it.
        package let companyID = WireField<Int64>("company_id")
        package let description = WireField<String>("description")
        package let autoLock = WireField<Bool>("auto_lock")
    }

    package static let names = Fields()
    package static var required: [String] { ["id", "name"] }

    package var fields: [String: JSONValue]

    package init(fields: [String: JSONValue]) { self.fields = fields }

    package init(id: Int64, name: String) {
        fields = ["type": .text("root"), "id": .integer(id), "name": .text(name)]
    }

    package var name: String {
        get { fields["name"].flatMap(String.init(json:)) ?? "" }
        set { fields["name"] = .text(newValue) }
    }

    /// The validator of a listing; only where children were asked for.
    package var hash: String? {
        get { fields["hash"].flatMap(String.init(json:)) }
        set { fields["hash"] = newValue?.json }
    }
}

/// A share of one file or folder by link ("File-Share Objekt").
package struct WireShare: WireObject {
    package struct Fields: Sendable {
        package let creatorID = WireField<Int64>("creator_id")
        package let fileID = WireField<Int64>("file_id")
        package let folderID = WireField<Int64>("folder_id")
        package let expires = WireField<WireTime>("expires")
        package let readAccess = WireField<Bool>("read_access")
        package let writeAccess = WireField<Bool>("write_access")
        package let deleteAccess = WireField<Bool>("delete_access")
        package let loginRequired = WireField<Bool>("login_required")
    }

    package static let names = Fields()
    package static var required: [String] { ["id", "root_id", "hash"] }

    package var fields: [String: JSONValue]

    package init(fields: [String: JSONValue]) { self.fields = fields }

    package init(id: Int64, rootID: Int64, hash: String) {
        fields = [
            "type": .text("share"), "id": .integer(id), "root_id": .integer(rootID),
            "hash": .text(hash),
        ]
    }

    package var rootID: Int64 {
        get { fields["root_id"].flatMap(Int64.init(json:)) ?? 0 }
        set { fields["root_id"] = .integer(newValue) }
    }

    package var hash: String {
        get { fields["hash"].flatMap(String.init(json:)) ?? "" }
        set { fields["hash"] = .text(newValue) }
    }
}
