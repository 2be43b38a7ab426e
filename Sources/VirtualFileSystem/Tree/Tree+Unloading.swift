import CloudStorage
import FileSystemTypes
import Reconciler
import StateStore

/// Folders whose entries leave memory; the state table keeps them.
extension Tree {
    /// What may keep folders and nodes in memory, beside what they say of themselves.
    struct UnloadRules {
        /// Folders that were used or touched since stay.
        var usedBefore: Double
        /// Folders that something unsent is in or below, here or on the server.
        var pinnedFolders: Set<UInt64> = []
        /// Folders being listed or loaded.
        var busyFolders: Set<UInt64> = []
        /// Inodes that something on record speaks of.
        var pinnedInodes: Set<UInt64> = []
        /// Whether the kernel is asked to forget folders too: a program that has such a folder as
        /// its working directory is then told that it has no name, until somebody looks it up.
        var asksForFolders = false
    }

    enum Unloading {
        /// Something keeps it.
        case refused
        /// It is free once the kernel has forgotten these.
        case asks([(node: UInt64, name: String)])
        /// Not loaded any more; these nodes can go one by one.
        case begun([UInt64])
    }

    /// A folder's entries changed here, or are about to: it is not the one to be unloaded next, and
    /// what is said of them reaches the state table first.
    mutating func touchFolders(of id: UInt64) {
        let now = SystemClocks.monotonicSeconds()
        if let parent = nodes[id]?.parent { nodes[parent]?.touchedAt = now }
        if let home = nodes[id]?.displaced?.folder { nodes[home]?.touchedAt = now }
    }

    /// The folders with entries in memory in one block of nodes.
    func unloadCandidates(inBlock block: Int) -> [UnloadChoice.Folder] {
        nodes.nodes(inBlock: block).compactMap { node in
            guard node.isFolder, let parent = node.parent, !node.known.isEmpty else { return nil }
            return UnloadChoice.Folder(
                id: node.id, parent: parent, usedAt: max(node.usedAt, node.touchedAt),
                entries: node.known.count,
                isPinned: node.id == Tree.rootID || node.openHandles > 0)
        }
    }

    /// Folders that something unsent is in or below, as it is wanted and as the server has it.
    /// - Parameter others: items that changes of the server are half done with.
    func foldersOfWork(_ others: Set<ItemKey>) -> Set<UInt64> {
        var found: Set<UInt64> = []
        for item in others {
            guard let id = byKey[item] else { continue }
            add(nodes[id]?.isFolder == true ? id : nodes[id]?.parent, to: &found)
        }
        for item in work.items {
            let difference = work.difference(of: item)
            let places = [
                difference?.wanted?.folder, difference?.home?.folder, nodes[item]?.parent,
            ]
            for place in places { add(place, to: &found) }
        }
        return found
    }

    /// Adds a folder and those above it.
    private func add(_ folder: UInt64?, to found: inout Set<UInt64>) {
        var current = folder
        while let next = current, found.insert(next).inserted { current = nodes[next]?.parent }
    }

    /// Begins to unload a folder, where nothing of it is in use.
    mutating func unload(_ id: UInt64, _ rules: UnloadRules) -> Unloading {
        guard let folder = nodes[id], mayUnload(folder, rules),
            folder.children != nil || folder.isStored
        else { return .refused }
        var free: [UInt64] = []
        var asked: [(node: UInt64, name: String)] = []
        for child in folder.known.values {
            switch use(of: child, in: id, rules) {
            case .none: free.append(child)
            case .kernel(let name): asked.append((child, name))
            case .folder: break
            case .program: return .refused
            }
        }
        guard asked.isEmpty else { return .asks(asked) }
        if folder.children != nil {
            nodes[id]?.kept = folder.known
            nodes[id]?.children = nil
            nodes[id]?.isStored = true
        }
        return .begun(free)
    }

    private func mayUnload(_ folder: Node, _ rules: UnloadRules) -> Bool {
        guard folder.id != Tree.rootID, folder.isFolder, folder.parent != nil,
            folder.server != nil, !folder.isUnsettled, !folder.isRemoved
        else { return false }
        guard folder.openHandles == 0, folder.busy == 0, folder.lockClaims == 0,
            max(folder.usedAt, folder.touchedAt) < rules.usedBefore
        else { return false }
        return !rules.pinnedFolders.contains(folder.id) && !rules.busyFolders.contains(folder.id)
            && !loading.contains(folder.id) && !outdated.contains(folder.id)
            && lockedFolders[folder.id] == nil
            && !unrecordedFolders.contains(folder.id)
    }

    private enum Use {
        case none
        /// Only the kernel knows it, by this name.
        case kernel(String)
        /// A folder that stays in memory itself.
        case folder
        case program
    }

    private func use(of id: UInt64, in folder: UInt64, _ rules: UnloadRules) -> Use {
        guard let node = nodes[id], node.parent == folder else { return .program }
        guard isAsStored(node), !rules.pinnedInodes.contains(node.inode.rawValue) else {
            return .program
        }
        if node.isFolder {
            guard node.known.isEmpty, mayUnload(node, rules) else { return .folder }
            if node.lookups == 0 { return .none }
            return rules.asksForFolders ? .kernel(node.name) : .folder
        }
        return node.lookups == 0 ? .none : .kernel(node.name)
    }

    /// Whether the state table says all of a node that matters.
    private func isAsStored(_ node: Node) -> Bool {
        guard node.server != nil, !node.isUnsettled, !node.isRemoved, !node.isLocalOnly,
            node.notice == nil, node.saveError == nil, !node.owesError, !node.holdsLock
        else { return false }
        if node.isFolder { return true }
        return node.openHandles == 0 && node.lockClaims == 0 && node.busy == 0
            && node.working == nil && !node.isTimeUnsent && node.askedTime == nil
            && work.difference(of: node.id) == nil
    }

    /// Takes nodes of a folder being unloaded out of memory, and adds what the server knows the files
    /// by. Returns the rows of those that were folders, whose times may have changed with their
    /// entries; nil where somebody has loaded the folder again.
    mutating func drop(
        _ ids: some Sequence<UInt64>, from folder: UInt64, _ files: inout [ItemKey]
    ) -> [StateChange]? {
        guard nodes[folder]?.children == nil, !loading.contains(folder) else { return nil }
        var changes: [StateChange] = []
        for id in ids {
            guard let node = nodes[id], node.parent == folder, node.lookups == 0,
                node.openHandles == 0, node.lockClaims == 0, node.busy == 0, isAsStored(node),
                node.known.isEmpty
            else { continue }
            if node.isFolder, let record = record(of: id) { changes.append(.put(record)) }
            if let server = node.server {
                let key = ItemKey(server.reference)
                if byKey[key] == id { byKey[key] = nil }
                if !node.isFolder { files.append(key) }
            }
            if entry(node.name, of: folder) == id { setEntry(node.name, of: folder, to: nil) }
            nodes[id] = nil
        }
        shrinkKept(of: folder)
        return changes
    }

    /// Entries that were removed one by one leave their room behind.
    private mutating func shrinkKept(of folder: UInt64) {
        guard let kept = nodes[folder]?.kept, kept.capacity > 2 * kept.count + 16 else { return }
        var rest: [NameKey: UInt64] = [:]
        for (name, id) in kept { rest[name] = id }
        nodes[folder]?.kept = rest
    }
}
