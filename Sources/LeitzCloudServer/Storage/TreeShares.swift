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
        let path: String
        switch address {
        case .root: throw APIError.notFound
        case .file(_, let id):
            let row = try liveFile(id, in: root)
            file = row.id
            path = try self.path(of: row)
        case .folder(_, let id):
            let chain = try liveFolder(id, in: root)
            folder = chain.folder.id
            path = chain.path
        }
        let policy = try callersPolicy()
        if !policy.flag("user_create_shares") { throw APIError.forbidden }
        let loginRequired = wishes.loginRequired || policy.flag("secure_shares")
        let hash = TokenHash.random(bytes: 7)
        try run(
            """
            INSERT INTO shares (root_id, file_id, folder_id, creator_id, hash, expires,
            login_required, download_limit, subscribers) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                root.id, file, folder, caller.person, hash, wishes.expires, loginRequired,
                wishes.downloadLimit, wishes.subscribers,
            ])
        var share = WireShare(id: db.lastInsertedRowID, rootID: root.id, hash: hash)
        try Self.noteSubscribers(db, share: share.id, addresses: wishes.subscribers)
        share.creatorID = caller.person
        share.fileID = file
        share.folderID = folder
        share.expires = wishes.expires.map { WireTime($0) }
        share.loginRequired = loginRequired
        share.readAccess = true
        share.writeAccess = false
        share.deleteAccess = false
        try note(.itemShared, root, path)
        return share
    }

    private func callersPolicy() throws -> Policy {
        let organization = try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT organization_id FROM persons WHERE id = ?"),
            arguments: [caller.person])
        return try Policy(
            db, organization: organization ?? Schema.firstOrganization, baseBehaviour)
    }

    /// Keeps who a share is for, one address a row.
    ///
    /// - Parameter addresses: separated by commas.
    static func noteSubscribers(_ db: Database, share: Int64, addresses: String) throws {
        for address in addresses.split(separator: ",") {
            let email = String(address.drop { $0.isWhitespace }.prefix { !$0.isWhitespace })
            if email.isEmpty { continue }
            try db.cachedStatement(
                sql: "INSERT OR IGNORE INTO share_subscribers (share_id, email) VALUES (?, ?)"
            ).execute(arguments: [share, email])
        }
    }
}
