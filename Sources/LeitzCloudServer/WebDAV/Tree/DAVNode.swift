import Crypto
import LeitzCloudAPI

/// A file or folder as the WebDAV face shows it.
struct DAVNode: Sendable {
    /// The root it is in, as the caller sees it.
    var root: RootAccess
    /// The folder itself, or the folder that the file is in, with the way up.
    var chain: FolderChain
    /// Nil for a folder.
    var file: FileRow?
    /// Below the person's files.
    var path: [String]
    /// The roots that show as folders here; only the top of the person's files has some.
    var mounts: [DAVMount] = []
    /// Whether the item is in another root than the caller's own.
    var isShared: Bool

    var isFolder: Bool { file == nil }
    /// The top of the person's files.
    var isHome: Bool { path.isEmpty }
    /// The top of another root.
    var isMount: Bool { isFolder && isShared && chain.folders.count == 1 }
    var name: String { path.last ?? "" }
    var number: Int64 {
        file.map { ItemNumber.file($0.id) } ?? ItemNumber.folder(chain.folder.id)
    }
    var address: ItemAddress {
        if let file { return .file(root: root.id, file: file.id) }
        return chain.folders.count == 1
            ? .root(root.id) : .folder(root: root.id, folder: chain.folder.id)
    }

    /// With its quotes. Nothing changed in or below an item whose ETag is the same.
    var etag: String { "\"" + opaqueTag + "\"" }

    private var opaqueTag: String {
        if let file { return Self.digest("\(number) \(file.revision) \(file.modified)", 16) }
        var text = "\(number) \(chain.folder.treeVersion)"
        for mount in mounts {
            text += "\n\(mount.root) \(mount.treeVersion) \(mount.permissions) \(mount.name)"
        }
        return Self.digest(text, 7)
    }

    private static func digest(_ text: String, _ bytes: Int) -> String {
        TokenHash.hex(SHA256.hash(data: Array(text.utf8)).prefix(bytes))
    }

    /// Seconds since 1970. A folder's is that of the last change below it.
    var modified: Int64 {
        file?.modified ?? mounts.reduce(chain.folder.modified) { max($0, $1.modified) }
    }

    var canRead: Bool { root.permissions.contains(PermissionWord.read) }
    var canWrite: Bool { root.permissions.contains(PermissionWord.write) }

    /// `oc:permissions` (FACTS 2.4).
    var permissionLetters: String {
        var letters = isShared ? "SR" : "R"
        if isMount { letters += "M" }
        if canRead { letters += "G" }
        guard canWrite else { return letters }
        if !isMount { letters += "DNV" }
        return letters + (isFolder ? "CK" : "W")
    }

    /// The locks of persons on the item and above it; those with a token are kept elsewhere.
    var personLocks: [ActiveLock] {
        (chain.locks + [file?.lock].compactMap(\.self)).filter { !$0.isToken }
    }

    /// The numbers of the item and of the folders above it, the item's first.
    var numbersUpwards: [Int64] {
        (file.map { [ItemNumber.file($0.id)] } ?? [])
            + chain.folders.map { ItemNumber.folder($0.id) }
    }
}

/// A root that shows as a folder in the top of a person's files.
struct DAVMount: Sendable {
    var root: Int64
    var name: String
    var permissions: String
    var treeVersion: Int64
    var modified: Int64
}
