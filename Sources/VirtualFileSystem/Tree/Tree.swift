import CloudStorage
import FileSystemTypes
import Reconciler
import StateStore

/// What the mount knows, in memory: inodes, names and handles.
///
/// A plain value; `VirtualFileSystem` keeps it in a mutex. Nothing in here waits.
struct Tree {
    static let rootID: UInt64 = 1

    var nodes = NodeTable()
    /// Which node stands for an item of the server.
    var byKey: [ItemKey: UInt64] = [:]
    var handles: [UInt64: FileHandle] = [:]
    var directoryHandles: [UInt64: DirectoryHandle] = [:]
    var nextHandle: UInt64 = 1
    /// Counts acknowledged changes of our own, so that a listing asked for before one is known.
    var sequence: UInt64 = 1
    /// Items we deleted or moved away, with the sequence number of the change.
    var departed: [ItemKey: UInt64] = [:]
    /// Names in use for the time of a few server calls; never shown.
    var temporaryNames: Set<String> = []
    /// Folders whose last listing could not be taken over as a whole.
    var outdated: Set<UInt64> = []
    /// Folders whose rows still have a validator that no longer holds.
    var unrecordedFolders: Set<UInt64> = []
    /// Folders with something that somebody else has locked, each with the time of the monotonic
    /// clock when the server is asked again.
    var lockedFolders: [UInt64: Double] = [:]
    var account: AccountDescription?
    /// Bytes our own changes added since `account` was read.
    var bytesSinceAccount: Int64 = 0
    var conflicts: [Conflict] = []
    /// What is to be brought to the server.
    var work: Reconciliation
    let chance: Chance
    /// Asked under the tree's mutex, which it never waits for.
    let leases: LeaseJournal
    /// When the background looks for work by itself (monotonic seconds); -infinity while it does.
    var nextLook = -Double.infinity
    /// Changes that programs make.
    var load = LocalLoad()
    /// The latest change of another client in a folder that is not in memory and could not be told, as the
    /// time of the monotonic clock: what is known of such folders has to be checked before it is used.
    var unplacedAt = -Double.infinity
    /// Folders whose entries are being taken from the state table.
    var loading: Set<UInt64> = []
    /// Nodes that the kernel was asked to forget, and has not yet.
    var leaving: Set<UInt64> = []

    init(rootNode: Node, pace: ReconciliationPace, chance: Chance, leases: LeaseJournal) {
        self.chance = chance
        self.leases = leases
        work = Reconciliation(pace: pace)
        nodes[Tree.rootID] = rootNode
    }

    func node(_ id: UInt64) throws(FileSystemError) -> Node {
        guard let node = nodes[id] else {
            throw FileSystemError(.stale, "no such node: \(id)")
        }
        return node
    }

    func folder(_ id: UInt64) throws(FileSystemError) -> Node {
        let node = try node(id)
        guard node.isFolder else { throw FileSystemError(.notFolder, "\(node.name) is no folder") }
        return node
    }

    /// An entry that is in memory, whether or not all of the folder's are.
    func child(of parent: UInt64, named name: String) -> Node? {
        entry(name, of: parent).flatMap { nodes[$0] }
    }

    func entry(_ name: String, of folder: UInt64) -> UInt64? {
        let key = NameKey(name)
        return nodes[folder]?.children?[key] ?? nodes[folder]?.kept[key]
    }

    /// Has a name in a folder stand for a node, or for none.
    mutating func setEntry(_ name: String, of folder: UInt64, to id: UInt64?) {
        if nodes[folder]?.children != nil {
            nodes[folder]?.children?[NameKey(name)] = id
        } else {
            nodes[folder]?.kept[NameKey(name)] = id
        }
    }

    /// Adds a node below its parent.
    mutating func attach(_ node: Node) {
        nodes[node.id] = node
        if let parent = node.parent { setEntry(node.name, of: parent, to: node.id) }
        if let server = node.server { byKey[ItemKey(server.reference)] = node.id }
        noteLockedFolder(of: node.id)
    }

    /// Takes a node's name away, since the server no longer has it there or it is an old version.
    /// The node stays while the kernel or a handle knows it.
    mutating func detach(_ id: UInt64) {
        guard let node = nodes[id] else { return }
        nodes[id]?.displaced = nil
        nodes[id]?.saveError = nil
        work.set(id, nil)
        if let parent = node.parent, entry(node.name, of: parent) == id {
            setEntry(node.name, of: parent, to: nil)
        }
        if let server = node.server {
            let key = ItemKey(server.reference)
            if byKey[key] == id { byKey[key] = nil }
        }
        nodes[id]?.parent = nil
        dropIfUnused(id)
    }

    /// Gives a node another name.
    mutating func move(_ id: UInt64, to parent: UInt64, name: String) {
        guard let node = nodes[id] else { return }
        if let old = node.parent, entry(node.name, of: old) == id {
            setEntry(node.name, of: old, to: nil)
        }
        nodes[id]?.parent = parent
        nodes[id]?.name = name
        setEntry(name, of: parent, to: id)
    }

    /// Records what the server has now acknowledged of a node.
    mutating func acknowledge(_ id: UInt64, _ server: ServerSide?) {
        guard let node = nodes[id] else { return }
        if let old = node.server {
            let key = ItemKey(old.reference)
            if byKey[key] == id { byKey[key] = nil }
        }
        nodes[id]?.server = server
        if let server { byKey[ItemKey(server.reference)] = id } else { nodes[id]?.displaced = nil }
        noteLockedFolder(of: id)
    }

    /// Forgets a detached node that nobody refers to any more.
    mutating func dropIfUnused(_ id: UInt64) {
        guard id != Tree.rootID, let node = nodes[id], node.parent == nil, node.isIdle else {
            return
        }
        for child in node.known.values {
            nodes[child]?.parent = nil
            if let server = nodes[child]?.server {
                let key = ItemKey(server.reference)
                if byKey[key] == child { byKey[key] = nil }
            }
            dropIfUnused(child)
        }
        nodes[id] = nil
    }

    /// The path of a node within the mount, for messages; `nil` once its name is gone.
    func path(of id: UInt64) -> String? {
        var parts: [String] = []
        var current = id
        while current != Tree.rootID {
            guard let node = nodes[current], let parent = node.parent, parts.count < 4096 else {
                return nil
            }
            parts.append(node.name)
            current = parent
        }
        return "/" + parts.reversed().joined(separator: "/")
    }

    /// Whether `id` is `ancestor` or below it.
    func isBelow(_ id: UInt64, _ ancestor: UInt64) -> Bool {
        var current: UInt64? = id
        var steps = 0
        while let here = current, steps < 4096 {
            if here == ancestor { return true }
            current = nodes[here]?.parent
            steps += 1
        }
        return false
    }

    /// Once nothing of ours is in the way any more, what could not be taken over is listed again by
    /// whoever looks next.
    mutating func freshen() {
        guard work.isEmpty, !outdated.isEmpty else { return }
        for folder in outdated { nodes[folder]?.validatedAt = -.infinity }
        outdated = []
    }

    /// Marks the end of a server call of ours that changed a node.
    mutating func stamp(_ id: UInt64) {
        sequence += 1
        nodes[id]?.stamp = sequence
        touchFolders(of: id)
    }

    /// Marks an item as gone by our own doing.
    mutating func recordDeparture(of reference: ItemReference) {
        sequence += 1
        if departed.count > 10_000 {
            let old = sequence - 5_000
            departed = departed.filter { $0.value > old }
        }
        departed[ItemKey(reference)] = sequence
    }
}

/// Two versions of a file that are both kept (DESIGN section 1).
package struct Conflict: Hashable, Sendable, Codable {
    /// Path of this machine's version.
    package var copy: String
    /// Path of the server's version.
    package var original: String

    package init(copy: String, original: String) {
        self.copy = copy
        self.original = original
    }
}

/// An open file.
struct FileHandle {
    let node: UInt64
    let options: OpenOptions
    /// Set by the first write through this handle.
    var hasWritten = false
    /// The kernel has it open on the node's `backed`.
    var isBacked = false
    /// The kernel has it open on the node's `inPlace`.
    var isInPlace = false
    /// The program has closed it, and somebody still maps the file by it.
    var isClosed = false
    /// Has the kernel drop pages behind the program, where it can do without them at the next open.
    var dropBehind: DropBehind?

    /// Whether a program may have mapped it so that its stores go to the file unseen, and are to be
    /// brought to the working copy.
    var isMappable: Bool { isBacked && options.isSuperset(of: [.read, .write]) }
    /// Whether programs may change the file when they have closed it.
    var mayStore: Bool { (isBacked || isInPlace) && options.isSuperset(of: [.read, .write]) }
}
