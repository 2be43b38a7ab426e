import Crypto
import GRDB
import LeitzCloudAPI
import NIOCore

/// The answer of the root and folder metadata calls: head, hash, and children page by page.
struct FolderListing: Sendable {
    let address: ItemAddress
    let options: ListingOptions

    /// Nil where the answer has the hash that the client already knows.
    func begin(_ tree: Tree) throws -> PagedJSON? {
        let root = try tree.root(address.root)
        let chain =
            switch address {
            case .folder(_, let id) where id != 0: try tree.folder(id, in: root)
            case .root, .folder: try tree.top(of: root)
            case .file: throw APIError.notFound
            }
        let hash = options.children ? try signature(root, chain, tree) : nil
        if let hash, hash == options.hash { return nil }
        var encoder = ItemEncoder(options: options, permissions: root.permissions)
        var head = try head(root, chain, hash: hash, &encoder, tree)
        guard options.children else { return PagedJSON(head: head, pages: nil, tail: "") }
        // The object is still open: its last brace comes behind the children.
        head.moveWriterIndex(to: head.writerIndex - 1)
        head.writeStaticString(",\"children\":[")
        return PagedJSON(
            head: head, pages: ChildPages(chain: chain, encoder: encoder, options: options),
            tail: "]}")
    }

    private func head(
        _ root: RootAccess, _ chain: FolderChain, hash: String?, _ encoder: inout ItemEncoder,
        _ tree: Tree
    ) throws -> ByteBuffer {
        guard chain.folder.isTop else {
            let above = FolderChain(folders: Array(chain.folders.dropFirst()))
            var item = try encoder.item(
                chain.folder, path: chain.path, inherited: above.locks, tree)
            item.hash = hash
            var buffer = ByteBuffer()
            ItemJSON.write(item, to: &buffer)
            return buffer
        }
        var wire = WireRoot(access: root)
        wire.hash = hash
        if options.lockInfo {
            wire.isLocked = chain.folder.lock != nil
            wire.locks = try encoder.wire(chain.locks, tree)
        }
        if options.permissions { wire.permissions = root.permissions }
        return try JSONText.encode(wire)
    }

    /// A hash over everything the answer shows. The children are covered by the folder's change
    /// counter; locks end by time alone, so that the active ones go in themselves.
    private func signature(_ root: RootAccess, _ chain: FolderChain, _ tree: Tree) throws -> String
    {
        var parts = [
            "1", options.signature, String(chain.folder.id), String(chain.folder.listingVersion),
            chain.folder.isDeleted ? "deleted" : "live", chain.path,
        ]
        if chain.folder.isTop { parts += [root.name, root.kind, String(root.spaceUsed)] }
        if options.permissions { parts += root.permissions }
        if options.lockInfo {
            parts += chain.locks.map { "\($0.person):\($0.expires)" }
            for table in ["files", "folders"] {
                let rows = try Row.fetchCursor(
                    tree.db.cachedStatement(
                        sql: """
                            SELECT id, lock_person, lock_expires FROM \(table)
                            WHERE root_id = ? AND parent_id = ? AND lock_expires > ? ORDER BY id
                            """), arguments: [root.id, chain.folder.id, tree.now])
                while let row = try rows.next() {
                    parts.append(
                        "\(table):\(row[0] as Int64):\(row[1] as Int64):\(row[2] as Int64)")
                }
            }
        }
        // No part can hold a NUL, so that two different lists never read the same.
        return TokenHash.hex(Insecure.SHA1.hash(data: Array(parts.joined(separator: "\0").utf8)))
    }
}

extension WireRoot {
    /// A root object without locks, permissions and hash.
    init(access: RootAccess) {
        self.init(id: access.id, name: access.name)
        self.path = "/"
        self.rootType = access.kind
        self.spaceUsed = access.spaceUsed
        self.spaceUsedFormatted = ByteCount.format(access.spaceUsed)
        self.companyID = access.organization
    }
}

/// The children of a folder: first the folders, then the files, each by id.
struct ChildPages: RowPages {
    let chain: FolderChain
    var encoder: ItemEncoder
    let options: ListingOptions
    private var isInFiles = false
    private var last = Int64.min

    init(chain: FolderChain, encoder: ItemEncoder, options: ListingOptions) {
        self.chain = chain
        self.encoder = encoder
        self.options = options
    }

    mutating func next(_ tree: Tree, limit: Int, _ emit: (WireItem) -> Void) throws -> Bool {
        var remaining = limit
        let inherited = chain.locks
        let liveOnly = options.deleted ? "" : " AND is_deleted = 0"
        if !isInFiles {
            let rows = try Row.fetchCursor(
                tree.db.cachedStatement(
                    sql: """
                        SELECT \(FolderRow.columns) FROM folders
                        WHERE parent_id = ? AND id > ?\(liveOnly) ORDER BY id LIMIT ?
                        """), arguments: [chain.folder.id, last, remaining])
            while let row = try rows.next() {
                let folder = FolderRow(row, now: tree.now)
                emit(
                    try encoder.item(
                        folder, path: chain.path(of: folder.name), inherited: inherited, tree))
                last = folder.id
                remaining -= 1
            }
            if remaining == 0 { return true }
            isInFiles = true
            last = .min
        }
        let rows = try Row.fetchCursor(
            tree.db.cachedStatement(
                sql: """
                    SELECT \(FileRow.columns) FROM files
                    WHERE parent_id = ? AND id > ?\(liveOnly) ORDER BY id LIMIT ?
                    """), arguments: [chain.folder.id, last, remaining])
        while let row = try rows.next() {
            let file = FileRow(row, now: tree.now)
            emit(
                try encoder.item(file, path: chain.path(of: file.name), inherited: inherited, tree))
            last = file.id
            remaining -= 1
        }
        return remaining == 0
    }
}
