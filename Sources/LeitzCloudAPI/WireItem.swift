/// One file or folder object of API v2 ("Datei-Objekt", "Ordner-Objekt").
///
/// Both share one shape: fields that only one of them has are optional. Decoding is lenient about
/// what servers were seen to leave out or add; encoding writes what the document shows.
package struct WireItem: Codable, Hashable, Sendable {
    /// The `type` word.
    package enum Kind: String, Codable, Hashable, Sendable {
        case file
        case folder
    }

    package var type: Kind
    package var id: Int64
    package var rootID: Int64
    /// Absolute within the root.
    package var path: String
    /// Newer servers send it; the document's objects do not have it.
    package var name: String?
    package var isDeleted: Bool?
    package var isLocked: Bool?
    package var locks: [WireLock]?
    package var permissions: [String]?
    // Files only:
    package var revisionID: Int64?
    package var size: Int64?
    package var sizeFormatted: String?
    package var created: String?
    package var modified: String?
    // Folders only; the children themselves are decoded apart:
    package var hash: String?

    package init(type: Kind, id: Int64, rootID: Int64, path: String) {
        self.type = type
        self.id = id
        self.rootID = rootID
        self.path = path
    }

    enum CodingKeys: String, CodingKey {
        case type, id, path, name, locks, permissions, size, created, modified, hash
        case rootID = "root_id"
        case isDeleted = "is_deleted"
        case isLocked = "is_locked"
        case revisionID = "revision_id"
        case sizeFormatted = "size_formatted"
    }
}

/// A folder or root object with its children, as the metadata calls answer.
package struct WireListing: Decodable, Hashable, Sendable {
    package var id: Int64
    package var path: String?
    package var isDeleted: Bool?
    package var isLocked: Bool?
    package var locks: [WireLock]?
    package var permissions: [String]?
    package var children: [WireItem]?
    package var hash: String?

    enum CodingKeys: String, CodingKey {
        case id, path, locks, permissions, children, hash
        case isDeleted = "is_deleted"
        case isLocked = "is_locked"
    }
}

/// One element of `locks`. The document does not describe it, so every field is optional.
package struct WireLock: Codable, Hashable, Sendable {
    package var personID: Int64?
    package var email: String?
    package var displayName: String?
    package var expires: String?

    package init(personID: Int64?, email: String?, displayName: String?, expires: String?) {
        self.personID = personID
        self.email = email
        self.displayName = displayName
        self.expires = expires
    }

    package init(from decoder: any Decoder) throws {
        guard let fields = try? decoder.container(keyedBy: CodingKeys.self) else { return }
        personID = try? fields.decodeIfPresent(Int64.self, forKey: .personID)
        email = try? fields.decodeIfPresent(String.self, forKey: .email)
        displayName = try? fields.decodeIfPresent(String.self, forKey: .displayName)
        expires = try? fields.decodeIfPresent(String.self, forKey: .expires)
    }

    enum CodingKeys: String, CodingKey {
        case email, expires
        case personID = "person_id"
        case displayName = "display_name"
    }
}

extension WireLock: WireValue {
    package init?(json: JSONValue) {
        guard case .object(let fields) = json else {
            self.init(personID: nil, email: nil, displayName: nil, expires: nil)
            return
        }
        self.init(
            personID: fields["person_id"].flatMap(Int64.init(json:)),
            email: fields["email"].flatMap(String.init(json:)),
            displayName: fields["display_name"].flatMap(String.init(json:)),
            expires: fields["expires"].flatMap(String.init(json:)))
    }

    package var json: JSONValue {
        var fields: [String: JSONValue] = [:]
        fields["person_id"] = personID?.json
        fields["email"] = email?.json
        fields["display_name"] = displayName?.json
        fields["expires"] = expires?.json
        return .object(fields)
    }
}

/// `{"results": […]}` of search and modified_since.
package struct WireResults<Element: Codable & Hashable & Sendable>: Codable, Hashable, Sendable {
    package var results: [Element]
    /// Present only where a server pages the answer.
    package var offset: Int?
    package var total: Int?

    package init(results: [Element]) { self.results = results }
}
