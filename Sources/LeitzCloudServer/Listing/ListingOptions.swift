/// The query parameters of the metadata calls (API v2, "Ordner-Metadaten abrufen").
struct ListingOptions: Sendable {
    var children = true
    var deleted = true
    var lockInfo = true
    var permissions = false
    var hash: String?

    init() {}

    init(_ fields: FormFields) throws(APIError) {
        children = try fields.flag("include_children", default: true)
        deleted = try fields.flag("include_deleted", default: true)
        lockInfo = try fields.flag("include_lock_info", default: true)
        permissions = try fields.flag("include_permissions", default: false)
        hash = fields["hash"]
    }

    /// The flags as they go into the hash of an answer.
    var signature: String {
        [children, deleted, lockInfo, permissions].map { $0 ? "1" : "0" }.joined()
    }
}
