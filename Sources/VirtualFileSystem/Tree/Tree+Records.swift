import CloudStorage
import FileSystemTypes
import Reconciler
import StateStore
import Synchronization

/// Counts the descriptions of nodes, each made while its tree is locked.
private let descriptions = Atomic<UInt64>(0)

/// Nodes as rows of the state table.
extension Tree {
    /// The row of a node that has a name, or that the server still has.
    func record(of id: UInt64) -> InodeRecord? {
        guard let node = nodes[id], node.notice == nil else { return nil }
        var parent = node.parent
        var name = node.name
        if node.isRemoved {
            guard node.server != nil, let home = node.displaced else { return nil }
            parent = home.folder
            name = home.name.name
        }
        guard let parent, let folder = nodes[parent] else { return nil }
        var record = InodeRecord(
            inode: node.inode, parent: folder.inode, name: name, kind: node.kind,
            server: node.server, overlay: node.overlay, symlinkTarget: node.symlinkTarget,
            isLocalOnly: node.isLocalOnly, listingValidator: node.validator,
            isListed: node.children != nil || node.isStored)
        record.version = Self.nextVersion()
        record.isRemoved = node.isRemoved
        if !node.isRemoved, let place = node.displaced {
            // A folder that another client has deleted is not known any more: the item is not in the
            // wanted one for that.
            let home = nodes[place.folder]?.inode ?? InodeNumber(place.folder)
            record.serverPlace = RecordedPlace(parent: home, name: place.name.name)
        }
        guard !node.isRemoved, let content = node.working?.kept else { return record }
        record.contentFile = content.path.lastPathComponent
        record.size = content.size
        record.missingContent = content.missing
        return record
    }

    /// The end of a node's row, and of a folder's children's.
    func removal(of node: Node) -> StateChange {
        node.isFolder
            ? .removeSubtree(node.inode, version: Self.nextVersion())
            : .remove(node.inode, version: Self.nextVersion())
    }

    /// Orders what is said of one row. Only to be called while the tree is locked.
    static func nextVersion() -> UInt64 { descriptions.add(1, ordering: .relaxed).newValue }

    /// Rows of several nodes, as changes, and those of folders that became outdated by them.
    mutating func recordChanges(of ids: [UInt64]) -> [StateChange] {
        let folders = unrecordedFolders.subtracting(ids).sorted()
        unrecordedFolders = []
        return (ids + folders).compactMap { record(of: $0).map { .put($0) } }
    }

    /// Adds a node as the state table remembers it, unless it is here already.
    mutating func restore(
        _ record: InodeRecord, below folder: UInt64, _ allocate: () -> InodeNumber
    ) {
        guard entry(record.name, of: folder) == nil,
            record.server.map({ byKey[ItemKey($0.reference)] == nil }) ?? true
        else { return }
        var id = record.inode.rawValue
        if let holder = nodes[id] {
            // An older version that is still open may have the number: then this one has its own.
            guard holder.parent == nil, !holder.isRemoved else { return }
            id = allocate().rawValue
        }
        var node = Node(
            id: id, inode: record.inode, kind: record.kind, parent: folder, name: record.name)
        node.server = record.server
        node.overlay = record.overlay
        node.isLocalOnly = record.isLocalOnly
        node.symlinkTarget = record.symlinkTarget
        if let place = record.serverPlace {
            node.displaced = NodePlace(folder: place.parent.rawValue, name: place.name)
        }
        if record.kind == .folder, record.server == nil { node.children = [:] }
        if record.kind == .folder {
            node.isStored = record.isListed
            node.validator = record.listingValidator
        }
        attach(node)
    }

    /// Adds a folder that unsent changes are in, whatever has its name now: where that is unsent
    /// too, under a name beside it.
    mutating func restore(
        _ record: InodeRecord, makingRoomFor hostName: String, _ allocate: () -> InodeNumber
    ) {
        let folder = record.parent.rawValue
        guard !record.isRemoved, nodes[folder]?.children != nil else { return }
        var record = record
        if let holder = child(of: folder, named: record.name) {
            if holder.isUnsettled || holder.working?.isSaved == false
                || holder.isFolder && hasUnsettled(below: holder.id)
            {
                let place = RecordedPlace(parent: record.parent, name: record.name)
                if record.server != nil { record.serverPlace = record.serverPlace ?? place }
                record.name = ConflictName.make(
                    for: record.name, host: hostName, date: chance.nameStamp(), attempt: 1)
            } else {
                detach(holder.id)
            }
        }
        restore(withoutOthersItem(record), below: folder, allocate)
        compare(record.inode.rawValue)
    }

    /// The row as one of what is only here, where another node stands for its item: what is unsent
    /// must be hung in all the same.
    func withoutOthersItem(_ record: InodeRecord) -> InodeRecord {
        guard let server = record.server, byKey[ItemKey(server.reference)] != nil else {
            return record
        }
        var record = record
        (record.server, record.serverPlace) = (nil, nil)
        return record
    }

    /// Adds a node that was removed here and is still on the server.
    mutating func restoreRemoved(_ record: InodeRecord) {
        guard nodes[record.inode.rawValue] == nil, let server = record.server,
            byKey[ItemKey(server.reference)] == nil
        else { return }
        var node = Node(
            id: record.inode.rawValue, inode: record.inode, kind: record.kind, parent: nil,
            name: record.name)
        node.server = server
        node.overlay = record.overlay
        node.isRemoved = true
        // A folder that was removed here was empty.
        if record.kind == .folder { node.children = [:] }
        node.displaced = NodePlace(folder: record.parent.rawValue, name: record.name)
        nodes[node.id] = node
        byKey[ItemKey(server.reference)] = node.id
        compare(node.id)
    }
}
