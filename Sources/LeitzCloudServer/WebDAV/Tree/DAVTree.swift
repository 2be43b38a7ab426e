import GRDB
import LeitzCloudAPI

/// The tree by paths, as a WebDAV client sees it, within one database access.
///
/// A person's own root is the top of their files; every other root that the person may see is a
/// folder in it.
struct DAVTree {
    let tree: Tree
    let caller: DAVCaller
    let home: RootAccess

    var db: Database { tree.db }
    var now: Int64 { tree.now }

    /// Throws `DAVError` 404 where the person has no root of their own yet; see `DAVService`.
    init(_ db: Database, _ caller: DAVCaller, _ context: CallContext) throws {
        var tree = try Tree(db, caller: Caller(person: caller.person, guid: "webdav"), context)
        tree.hasShownTokens = true
        tree.replacesByName = true
        self.tree = tree
        self.caller = caller
        guard let own = try Self.ownRoot(db, person: caller.person) else {
            throw DAVError.notFound([])
        }
        home = try tree.root(own)
    }

    /// The person's own root, nil where there is none.
    static func ownRoot(_ db: Database, person: Int64) throws -> Int64? {
        try Int64.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT r.id FROM persons p JOIN roots r ON r.id = p.own_root_id
                    JOIN subscriptions s ON s.root_id = r.id AND s.person_id = p.id
                    WHERE p.id = ? AND r.is_deleted = 0
                    """), arguments: [person])
    }

    /// What a path leads to.
    enum Place {
        case item(DAVNode)
        /// Nothing has the name in a folder that is there.
        case free(parent: DAVNode, name: String)
        /// The folder is not there, or is a file.
        case nowhere
    }

    /// The item at a path; throws `DAVError` 404 for none.
    func node(_ path: [String]) throws -> DAVNode {
        guard case .item(let node) = try place(path) else { throw DAVError.notFound(path) }
        return node
    }

    func place(_ path: [String]) throws -> Place {
        var node = try top()
        for (index, name) in path.enumerated() {
            guard node.isFolder else { return .nowhere }
            guard let next = try child(name, of: node) else {
                return index == path.count - 1
                    ? .free(parent: node, name: DAVTarget.composed(name)) : .nowhere
            }
            node = next
        }
        return .item(node)
    }

    private func top() throws -> DAVNode {
        DAVNode(
            root: home, chain: try tree.top(of: home), path: [], mounts: try mounts(),
            isShared: false)
    }

    /// Looks for the very bytes first: the other face keeps names that are not composed.
    private func child(_ name: String, of folder: DAVNode) throws -> DAVNode? {
        if let found = try exactChild(name, of: folder) { return found }
        let composed = DAVTarget.composed(name)
        return composed.utf8.elementsEqual(name.utf8)
            ? nil : try exactChild(composed, of: folder)
    }

    private func exactChild(_ name: String, of folder: DAVNode) throws -> DAVNode? {
        switch try tree.holder(of: name, in: folder.chain.folder.id) {
        case .file(let id):
            let file = try tree.liveFile(id, in: folder.root)
            return node(file, in: folder)
        case .folder(let id):
            let row = try Row.fetchOne(
                db.cachedStatement(sql: "SELECT \(FolderRow.columns) FROM folders WHERE id = ?"),
                arguments: [id])
            return row.map { node(FolderRow($0, now: now), in: folder) }
        case .deleted, nil: break
        }
        guard let mount = folder.mounts.first(where: { $0.name.utf8.elementsEqual(name.utf8) })
        else { return nil }
        return try node(mount)
    }

    func node(_ file: FileRow, in folder: DAVNode) -> DAVNode {
        DAVNode(
            root: folder.root, chain: folder.chain, file: file, path: folder.path + [file.name],
            isShared: folder.isShared)
    }

    func node(_ row: FolderRow, in folder: DAVNode) -> DAVNode {
        DAVNode(
            root: folder.root, chain: FolderChain(folders: [row] + folder.chain.folders),
            path: folder.path + [row.name], isShared: folder.isShared)
    }

    func node(_ mount: DAVMount) throws -> DAVNode {
        let access = try tree.root(mount.root)
        return DAVNode(
            root: access, chain: try tree.top(of: access), path: [mount.name], isShared: true)
    }

    /// The other roots of the person. A name that is taken, or that no folder may have, gets the
    /// root's number behind it.
    private func mounts() throws -> [DAVMount] {
        let rows = try Row.fetchAll(
            db.cachedStatement(
                sql: """
                    SELECT r.id, r.name, s.permissions, f.tree_version, f.modified
                    FROM subscriptions s JOIN roots r ON r.id = s.root_id
                    JOIN folders f ON f.id = -r.id
                    WHERE s.person_id = ? AND r.is_deleted = 0 AND r.id <> ? ORDER BY r.id
                    """), arguments: [caller.person, home.id])
        var mounts: [DAVMount] = []
        for row in rows {
            let permissions: String = row[2]
            guard permissions.split(separator: ",").contains(where: { $0 == PermissionWord.view })
            else { continue }
            let id: Int64 = row[0]
            mounts.append(
                DAVMount(
                    root: id, name: try mountName(row[1], root: id, besides: mounts),
                    permissions: permissions, treeVersion: row[3], modified: row[4]))
        }
        return mounts
    }

    private func mountName(_ name: String, root: Int64, besides mounts: [DAVMount]) throws
        -> String
    {
        var name = String(name.map { $0 == "/" || $0 == "\0" ? "_" : $0 })
        if name.isEmpty || name == "." || name == ".." { name = "Root" }
        let isTaken =
            try mounts.contains { $0.name == name } || tree.holder(of: name, in: home.top) != nil
        return isTaken ? "\(name) (\(root))" : name
    }

    /// The instance's name, which is in `oc:id`.
    static func instance(_ db: Database) throws -> String {
        try String.fetchOne(db.cachedStatement(sql: "SELECT id FROM instance LIMIT 1"))
            ?? "ocinstance"
    }

    /// Bytes the person may still store, and has stored.
    func quota() throws -> (available: Int64, used: Int64) {
        let row = try Row.fetchOne(
            db.cachedStatement(sql: "SELECT quota, space_usage FROM persons WHERE id = ?"),
            arguments: [caller.person])
        guard let row else { throw APIError.accessDenied }
        let (quota, used): (Int64, Int64) = (row[0], row[1])
        return (max(0, quota - used), used)
    }
}
