import GRDB
import LeitzCloudAPI

/// The fields of a share call, checked (API v2, "Freigeben einer Datei").
struct ShareWishes: Sendable {
    /// Seconds since 1970; nil for no end.
    var expires: Int64?
    var loginRequired: Bool
    var downloadLimit: Int64?
    /// Comma-separated e-mail addresses.
    var subscribers: String

    init(_ fields: FormFields) throws(APIError) {
        loginRequired = try fields.flag("login_required", default: false)
        _ = try fields.flag("notify_subscribers", default: false)
        _ = try fields.flag("download_notify", default: false)
        subscribers = fields["subscribers"] ?? ""
        if let text = fields["expires"], !text.isEmpty {
            guard let day = WireDate.parseDay(text) else { throw .invalidDate }
            expires = day
        }
        if let text = fields["download_limit"], !text.isEmpty {
            guard let limit = Int64(text), limit > 0 else { throw .invalid("download_limit") }
            downloadLimit = limit
        }
    }
}

extension Tree {
    /// Notes a share of a file or folder and describes it.
    func share(_ address: ItemAddress, _ wishes: ShareWishes) throws -> WireShare {
        let root = try root(address.root)
        var file: Int64?
        var folder: Int64?
        switch address {
        case .root: throw APIError.notFound
        case .file(_, let id): file = try liveFile(id, in: root).id
        case .folder(_, let id): folder = try liveFolder(id, in: root).folder.id
        }
        let hash = TokenHash.random(bytes: 7)
        try run(
            """
            INSERT INTO shares (root_id, file_id, folder_id, creator_id, hash, expires,
            login_required, download_limit, subscribers) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                root.id, file, folder, caller.person, hash, wishes.expires, wishes.loginRequired,
                wishes.downloadLimit, wishes.subscribers,
            ])
        var share = WireShare(id: db.lastInsertedRowID, rootID: root.id, hash: hash)
        share.creatorID = caller.person
        share.fileID = file
        share.folderID = folder
        share.expires = wishes.expires.map(WireDate.format)
        share.readAccess = true
        share.writeAccess = false
        share.deleteAccess = false
        return share
    }
}
