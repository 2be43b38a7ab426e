import CloudStorage
import FileSystemTypes
import StateStore

/// Items that another client has deleted on the server.
extension Tree {
    /// Takes a node's name away. A folder with unsent changes below it stays, to be made again.
    mutating func vanish(_ id: UInt64, _ effects: inout MergeEffects) {
        guard let node = nodes[id], let parent = node.parent else { return }
        if node.isFolder, hasUnsettled(below: id) {
            orphan(id, &effects)
            return
        }
        detach(id)
        effects.entries.append((parent, node.name))
        effects.changes.append(removal(of: node))
    }

    /// What a content still lacks is looked for where it was, whatever becomes of its item.
    func noteBase(of id: UInt64, _ effects: inout MergeEffects) {
        guard let node = nodes[id], let server = node.server, node.working?.isComplete == false
        else { return }
        effects.bases[node.inode.rawValue] = server
    }

    /// What is not in memory of a folder's entries is gone with it: the rows go, but for those of
    /// what is in memory.
    private mutating func bringIntoMemory(_ id: UInt64, _ effects: inout MergeEffects) {
        guard let node = nodes[id], node.children == nil else { return }
        nodes[id]?.children = node.kept
        nodes[id]?.kept = [:]
        effects.changes.append(removal(of: node))
        var rest = [id]
        while let next = rest.popLast() {
            if let record = record(of: next) { effects.changes.append(.put(record)) }
            rest += (nodes[next]?.known ?? [:]).values.sorted()
        }
    }

    /// A folder that is gone on the server becomes one that is only here, with what is unsent in it.
    private mutating func orphan(_ id: UInt64, _ effects: inout MergeEffects) {
        bringIntoMemory(id, &effects)
        acknowledge(id, nil)
        nodes[id]?.validator = nil
        noteLocalChange(of: id)
        for child in (nodes[id]?.children ?? [:]).values.sorted() {
            guard let node = nodes[child] else { continue }
            let isUnsent = node.working?.isSaved == false
            if node.server == nil || node.displaced != nil { continue }
            if node.isFolder, hasUnsettled(below: child) {
                orphan(child, &effects)
            } else if isUnsent, !node.isLocalOnly {
                noteBase(of: child, &effects)
                acknowledge(child, nil)
                noteLocalChange(of: child)
                compare(child)
                effects.changes += recordChanges(of: [child])
            } else {
                vanish(child, &effects)
            }
        }
        compare(id)
        effects.changes += recordChanges(of: [id])
    }
}
