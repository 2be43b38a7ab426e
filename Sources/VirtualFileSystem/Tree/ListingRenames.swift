import CloudStorage
import FileSystemTypes
import StateStore

/// Entries that a listing of their folder shows under other names.
///
/// They change names all at once: what has the name that another one is to have is not gone, with all
/// that is unsent in it, if it is only to have a new name itself.
struct ListingRenames {
    private var items: [(id: UInt64, item: CloudItem, name: String)] = []

    /// Notes the name that the listing shows a node by.
    mutating func add(_ id: UInt64, _ item: CloudItem, _ name: String) {
        items.append((id, item, name))
    }

    /// Gives the nodes their names. Returns those that keep the names they have here, since the new
    /// ones are held by what has to stay.
    func apply(
        to tree: inout Tree, in folder: UInt64, askedAt: UInt64, _ effects: inout MergeEffects
    ) -> [(id: UInt64, item: CloudItem)] {
        let items = items.filter { tree.canRename($0.id, in: folder, askedAt: askedAt) }
        var moving = Dictionary(items.map { ($0.id, $0.item) }) { first, _ in first }
        let wanted = Dictionary(items.map { (NameKey($0.name), $0.id) }) { first, _ in first }
        var kept: [(id: UInt64, item: CloudItem)] = []
        for (id, _, name) in items where moving[id] != nil {
            let isFree =
                wanted[NameKey(name)] == id
                && tree.isFree(name, in: folder, for: moving, askedAt: askedAt, &effects)
            var refused = isFree ? nil : id
            // What keeps its name can't give it to the next one.
            while let next = refused, let item = moving.removeValue(forKey: next) {
                kept.append((next, item))
                refused = tree.nodes[next].flatMap { wanted[NameKey($0.name)] }
            }
        }
        for (id, _, _) in items where moving[id] != nil {
            guard let node = tree.nodes[id], tree.entry(node.name, of: folder) == id else {
                continue
            }
            tree.setEntry(node.name, of: folder, to: nil)
        }
        for (id, _, name) in items where moving[id] != nil {
            guard let node = tree.nodes[id] else { continue }
            tree.move(id, to: folder, name: name)
            effects.entries += [(folder, node.name), (folder, name)]
            if let record = tree.record(of: id) { effects.changes.append(.put(record)) }
        }
        return kept
    }
}

extension Tree {
    /// Whether what the server says of a node's name counts: nothing was done here to it.
    fileprivate func canRename(_ id: UInt64, in folder: UInt64, askedAt: UInt64) -> Bool {
        guard let node = nodes[id], node.parent == folder, node.server != nil else { return false }
        return node.busy == 0 && node.stamp <= askedAt && !node.isUnsettled
    }

    /// Makes a name free, where nothing unsent has it; what is moving itself counts for nothing.
    fileprivate mutating func isFree(
        _ name: String, in folder: UInt64, for moving: [UInt64: CloudItem], askedAt: UInt64,
        _ effects: inout MergeEffects
    ) -> Bool {
        guard let holder = child(of: folder, named: name), moving[holder.id] == nil else {
            return true
        }
        guard holder.busy == 0, holder.stamp <= askedAt, !holder.isUnsettled,
            holder.working?.isSaved ?? true
        else { return false }
        vanish(holder.id, &effects)
        return entry(name, of: folder) == nil
    }
}
