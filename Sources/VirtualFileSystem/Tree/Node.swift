import BlockCache
import CloudStorage
import FileSystemTypes
import Reconciler
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
    /// Where the server has it, where that is not `parent` and `name`.
    var displaced: NodePlace?
    /// Removed here; the server may still have it.
    var isRemoved = false
    var overlay = LocalOverlay()
    var isLocalOnly = false
    var symlinkTarget: String?
    /// References the kernel holds.
    var lookups: UInt64 = 0
    var openHandles = 0
    var writeHandles = 0
    /// Openings for writing under way, and changes of what the lock is for: it stays meanwhile.
    var lockClaims = 0
    /// Content that differs, or may soon differ, from the server's.
    var working: WorkingCopy?
    /// Whose content `working` is a copy of.
    var copied: CopiedContent?
    /// The server's content, while a handle reads it; its number of uses is `openHandles`' business.
    var cached: CachedContent?
    /// What the kernel reads by itself for all handles of programs: those of `backedHandles`.
    var backed: BackedFile?
    var backedHandles = 0
    /// Of these, the ones that write.
    var backedWriters = 0
    /// The working copy's file, where the kernel reads and writes it by itself for all handles.
    var inPlace: InPlaceFile?
    var inPlaceHandles = 0
    /// A program has closed a descriptor of it, and neither opened nor synced it since.
    var isClosingInPlace = false
    /// The content version the kernel's pages were read from.
    var pagesOf: String?
    /// The file was opened again while the kernel had such pages.
    var hasReusedPages = false
    /// The working copy may be sent although the file is open: flushed, and not written since.
    var isFlushed = false
    /// The working copy is about to become cached content: who opens for writing waits for that.
    var isRetiring = false
    /// A program has given it a modification time that the server may not have.
    var isTimeUnsent = false
    /// The time, in seconds, that the server was asked to give it, and may have, unheard.
    var askedTime: Int64?
    /// Seconds of monotonic time of the last change made here.
    var changedAt: Double = 0
    /// Server calls under way that change this node.
    var busy = 0
    /// The tree's sequence number when the last such call ended.
    var stamp: UInt64 = 0
    /// Why the server does not have what this machine wants, until it does.
    var saveError: FileSystemError?
    /// `saveError` came after the program was told that all is well: the next fsync says so, once.
    var owesError = false
    /// Whether this node holds the server's lock.
    var holdsLock = false
    /// What it says, of an owner file that stands for somebody else's lock: no file of the server, nor
    /// of a program.
    var notice: [UInt8]?
    // Folders:
    var children: [NameKey: UInt64]? { didSet { entriesVersion &+= 1 } }
    /// Grows with every change of `children`.
    private(set) var entriesVersion: UInt64 = 0
    /// What the kernel keeps of the listing.
    var listingPages = ListingPages()
    /// Entries that are in memory although `children` is not: while a folder is being loaded,
    /// unloaded or listed for the first time, and folders in it that are still used.
    var kept: [NameKey: UInt64] = [:]
    /// The state table has the complete last listing.
    var isStored = false
    var validator: String?
    var validatedAt: Double = -.infinity
    var usedAt: Double = -.infinity
    /// When something of ours changed in it, or was about to.
    var touchedAt: Double = -.infinity

    init(id: UInt64, inode: InodeNumber, kind: FileKind, parent: UInt64?, name: String) {
        self.id = id
        self.inode = inode
        self.kind = kind
        self.parent = parent
        self.name = name
    }

    var isFolder: Bool { kind == .folder }

    /// What is in memory of a folder's entries.
    var known: [NameKey: UInt64] { children ?? kept }

    /// Whether a program has it open for writing, or is about to.
    var isBeingWritten: Bool { writeHandles > 0 || lockClaims > 0 }

    /// Names the content the kernel's pages must belong to.
    var contentVersion: String {
        working.map { "w\($0.serial)" }
            ?? "r\(server?.reference.id ?? "")-\(server?.revision ?? "")"
    }

    /// Whether the kernel may have pages of the content as it is now.
    var hasPages: Bool { pagesOf == contentVersion }

    /// Whether the node may leave memory.
    var isIdle: Bool {
        lookups == 0 && openHandles == 0 && lockClaims == 0 && working == nil && busy == 0
            && saveError == nil && !isUnsettled
    }

    /// Whether the server has, or lacks, the item otherwise than this machine wants; content aside.
    var isUnsettled: Bool {
        if isRemoved { return server != nil }
        return displaced != nil || (server == nil && parent != nil && !isLocalOnly && id != parent)
    }
}
