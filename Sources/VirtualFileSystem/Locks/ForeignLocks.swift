import CloudStorage
import FileSystemTypes
import Reconciler
import StateStore
import Synchronization

/// A lock that somebody else holds.
struct ForeignLock: Sendable, Hashable {
    /// As far as the server says.
    var holder: String?
    /// When it ends by itself, as far as the server says.
    var expires: FileTime?

    var text: String { holder.map { "is locked by \($0)" } ?? "is locked by somebody else" }
}

/// Locks of others, as listings and refusals tell them.
extension Tree {
    /// The lock of somebody else that keeps an item from being changed: its own, or that of a
    /// folder or root above it.
    func foreignLock(on node: Node) -> ForeignLock? {
        guard !lockedFolders.isEmpty else { return nil }
        let now = SystemClocks.now()
        var current: Node? = node
        var steps = 0
        while let here = current, steps < 4096 {
            if let lock = here.foreignLock(now: now, leases) { return lock }
            guard let parent = here.parent ?? here.displaced?.folder, parent != here.id else {
                return nil
            }
            current = nodes[parent]
            steps += 1
        }
        return nil
    }

    /// As above, and those of what is below a folder, as far as it is known.
    func foreignLock(onOrBelow node: Node) -> ForeignLock? {
        if let lock = foreignLock(on: node) { return lock }
        guard node.isFolder, !lockedFolders.isEmpty else { return nil }
        let now = SystemClocks.now()
        for folder in lockedFolders.keys where isBelow(folder, node.id) {
            for child in nodes[folder]?.children?.values ?? [:].values {
                if let lock = nodes[child]?.foreignLock(now: now, leases) { return lock }
            }
        }
        return nil
    }

    /// Refuses to change what somebody else has locked, as far as that is known.
    func checkLock(of node: Node, withEntries: Bool = false) throws(FileSystemError) {
        let lock = withEntries ? foreignLock(onOrBelow: node) : foreignLock(on: node)
        if let lock { throw FileSystemError(.locked, "\(node.name) \(lock.text)") }
    }

    /// The server has said what somebody else's lock on an item is; nil: there is none.
    mutating func noteForeignLock(_ lock: ForeignLock?, on id: UInt64) {
        guard var server = nodes[id]?.server else { return }
        server.isLocked = lock != nil
        server.lockHolder = lock?.holder
        server.lockExpires = lock?.expires
        nodes[id]?.server = server
        noteLockedFolder(of: id)
    }

    /// Keeps in mind where locks are.
    mutating func noteLockedFolder(of id: UInt64) {
        guard let node = nodes[id], node.server?.isLocked == true, let parent = node.parent else {
            return
        }
        let next = chance.monotonicSeconds() + Self.lockSeconds
        lockedFolders[parent] = min(lockedFolders[parent] ?? .infinity, next)
    }

    /// Locks end without a change that servers tell of: they are asked again after this.
    private static let lockSeconds = 60.0

    /// Folders in which locks of others should have ended, or may have: the next listing of these
    /// must be a whole one.
    mutating func foldersToAskForLocks() -> [UInt64] {
        let time = SystemClocks.now()
        let now = chance.monotonicSeconds()
        let due = lockedFolders.filter { folder, next in
            if next <= now { return true }
            return (nodes[folder]?.children?.values ?? [:].values).contains { child in
                guard let server = nodes[child]?.server, server.isLocked else { return false }
                return server.lockExpires.map { $0 <= time } ?? false
            }
        }
        for folder in due.keys {
            nodes[folder]?.validator = nil
            lockedFolders[folder] = now + Self.lockSeconds
        }
        return Array(due.keys)
    }

    /// Has an owner file stand beside every document that somebody else has locked, and beside no
    /// other. Returns the names that appeared, changed or went.
    mutating func updateNotices(
        in folder: UInt64, allocateInode: () -> InodeNumber
    ) -> [(parent: UInt64, name: String)] {
        guard !lockedFolders.isEmpty, let node = nodes[folder], let children = node.children,
            lockedFolders[folder] != nil || foreignLock(on: node) != nil
        else { return [] }
        var wanted: [NameKey: (name: String, text: [UInt8])] = [:]
        // The top is in no other folder that would keep its lock in mind.
        var isLocked = node.parent == folder && node.server?.isLocked == true
        for id in children.values {
            guard let node = nodes[id], node.notice == nil else { continue }
            if node.server?.isLocked == true { isLocked = true }
            guard node.kind == .file, let lock = foreignLock(on: node) else { continue }
            for (name, text) in notices(of: lock, on: node.name) {
                wanted[NameKey(name)] = (name, text)
            }
        }
        // Also those of a lock from above are to go when it ends.
        if !wanted.isEmpty { isLocked = true }
        var changed: [(parent: UInt64, name: String)] = []
        for id in children.values {
            guard let node = nodes[id], let text = node.notice else { continue }
            if wanted[NameKey(node.name)]?.text == text {
                wanted[NameKey(node.name)] = nil
            } else {
                detach(id)
                changed.append((folder, node.name))
            }
        }
        for (name, text) in wanted.values where child(of: folder, named: name) == nil {
            attach(notice(text, named: name, in: folder, inode: allocateInode()))
            changed.append((folder, name))
        }
        if !isLocked {
            lockedFolders[folder] = nil
        } else if lockedFolders[folder] == nil {
            lockedFolders[folder] = chance.monotonicSeconds() + Self.lockSeconds
        }
        return changed
    }

    /// Folders in this one whose owner files a listing of this one may have changed.
    func foldersWithNotices(in folder: UInt64) -> [UInt64] {
        guard !lockedFolders.isEmpty, let children = nodes[folder]?.children else { return [] }
        return children.values.filter { child in
            guard let node = nodes[child], node.children != nil else { return false }
            return node.server?.isLocked == true || lockedFolders[child] != nil
        }
    }

    private func notices(of lock: ForeignLock, on document: String) -> [(String, [UInt8])] {
        OwnerFileName.names(for: document).filter { $0.utf8.count <= 255 }.map { name in
            let isLibreOffice = name.hasPrefix(".~lock.")
            let text =
                isLibreOffice
                ? OwnerFileText.libreOffice(holder: lock.holder)
                : OwnerFileText.microsoft(
                    holder: lock.holder, isWord: OwnerFileName.isWord(document))
            return (name, text)
        }
    }

    private func notice(
        _ text: [UInt8], named name: String, in folder: UInt64, inode: InodeNumber
    ) -> Node {
        var node = Node(
            id: inode.rawValue, inode: inode, kind: .file, parent: folder, name: name)
        node.isLocalOnly = true
        node.notice = text
        let now = SystemClocks.now()
        node.overlay.mode = 0o444
        node.overlay.modified = now
        node.overlay.changed = now
        return node
    }
}

extension Node {
    fileprivate func foreignLock(now: FileTime, _ leases: LeaseJournal) -> ForeignLock? {
        guard let server, server.isLocked, !holdsLock || leases.isLost(server.reference) else {
            return nil
        }
        if let expires = server.lockExpires, expires <= now { return nil }
        return ForeignLock(holder: server.lockHolder, expires: server.lockExpires)
    }
}

extension VirtualFileSystem {
    /// Whether owner files of office programs stand for the server's locks here.
    var bridgesOwnerFiles: Bool {
        options.locking != .off && cloud.capabilities.lockSeconds != nil
    }

    /// Brings the owner files in a folder, and in folders in it that are locked or were, in line
    /// with what is known of others' locks.
    func updateNotices(in folder: UInt64) {
        guard bridgesOwnerFiles else { return }
        let changed = tree.withLock { tree in
            ([folder] + tree.foldersWithNotices(in: folder)).flatMap { folder in
                tree.updateNotices(in: folder) { self.store.allocateInode() }
            }
        }
        for entry in changed {
            notifier?.invalidateEntry(parent: entry.parent, name: entry.name)
        }
    }

    /// The server has refused a lock since somebody else has it.
    func noteForeignLock(on id: UInt64) {
        let folder = tree.withLock { tree -> UInt64? in
            if tree.nodes[id]?.server?.isLocked == false {
                tree.noteForeignLock(ForeignLock(), on: id)
            }
            return tree.nodes[id]?.parent
        }
        guard let folder else { return }
        updateNotices(in: folder)
        notifier?.invalidateAttributes(ofNode: id)
        // Who it is.
        tree.withLock { $0.nodes[folder]?.validator = nil }
        refreshLater(folder)
    }

    /// Asks again where locks of others may have ended by now.
    func lookForEndedLocks() {
        for folder in tree.withLock({ $0.foldersToAskForLocks() }) {
            updateNotices(in: folder)
            refreshLater(folder)
        }
    }
}
