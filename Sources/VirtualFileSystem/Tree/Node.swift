import BlockCache
import CloudStorage
import FileSystemTypes
import StateStore

/// One inode in memory.
struct Node {
    /// The kernel's number for it, never used twice.
    let id: UInt64
    /// What `stat` shows; several nodes share it while an old version is still open.
    let inode: InodeNumber
    let kind: FileKind
    /// Nil once the name is gone (unlinked, or an old version).
    var parent: UInt64?
    var name: String
    /// What the server has acknowledged; nil for what is only on this machine.
    var server: ServerSide?
    var overlay = LocalOverlay()
    var isLocalOnly = false
    var symlinkTarget: String?
    /// References the kernel holds.
    var lookups: UInt64 = 0
    var openHandles = 0
    var writeHandles = 0
    /// Content that differs, or may soon differ, from the server's.
    var working: WorkingCopy?
    /// The server's content, while a handle reads it; its number of uses is `openHandles`' business.
    var cached: CachedContent?
    /// The content version the kernel's pages were read from.
    var pagesOf: String?
    /// Server calls under way that change this node.
    var busy = 0
    /// The tree's sequence number when the last such call ended.
    var stamp: UInt64 = 0
    /// Deleted from the server when the last handle closes.
    var deletesAtClose: Int64?
    /// Why the content could not be stored, until it could.
    var saveError: FileSystemError?
    /// Whether this node holds the server's lock.
    var holdsLock = false
    // Folders:
    var children: [NameKey: UInt64]?
    var validator: String?
    var validatedAt: Double = -.infinity
    var usedAt: Double = -.infinity

    init(id: UInt64, inode: InodeNumber, kind: FileKind, parent: UInt64?, name: String) {
        self.id = id
        self.inode = inode
        self.kind = kind
        self.parent = parent
        self.name = name
    }

    var isFolder: Bool { kind == .folder }

    /// Names the content the kernel's pages must belong to.
    var contentVersion: String {
        working.map { "w\($0.serial)" }
            ?? "r\(server?.reference.id ?? "")-\(server?.revision ?? "")"
    }

    /// Whether the node may leave memory.
    var isIdle: Bool {
        lookups == 0 && openHandles == 0 && working == nil && busy == 0 && saveError == nil
            && deletesAtClose == nil
    }
}
