import CloudStorage
import FileSystemTypes
import Reconciler
import StateStore

/// Takes a folder listing of the server over into the tree.
struct ListingMerge {
    let folder: UInt64
    let items: [CloudItem]
    let validator: String?
    /// The tree's sequence number when the listing was asked for.
    let askedAt: UInt64
    /// What the state table knows of the items, by identity.
    let records: [ItemKey: InodeRecord]
    private let oldChildren: [InodeRecord]
    private let unheard: [SentContent]
    private let keepsPartialUploads: Bool
    private let temporaryNames: [String: String]
    private let hostName: String
    /// Numbers for items not seen before. Taken under the tree's mutex, so it must not wait for it.
    let allocateInode: () -> InodeNumber
    let storesLinks: Bool
    let monotonicNow: Double
    let now: FileTime
    /// Names of the listing as the server has them.
    private let names: Set<NameKey>

    /// So many items are taken over before other calls have their turn.
    static let sliceSize = 1_000
    private var next = 0
    private var hasBegun = false
    private(set) var isDone = false
    /// Nothing of the folder was in memory: it shows no entry before it has all.
    private var isFirst = false
    private var isNewToKernel = false
    private var isCurrent = true
    private var hasNewEntries = false
    private var old: [NameKey: UInt64] = [:]
    private var listed: Set<UInt64> = []
    /// Those that have other names in the listing; nil once they have them here.
    private var renames: ListingRenames? = ListingRenames()
    /// Entries that the listing lacks; nil while items are left to be taken.
    private var missing: [(name: NameKey, id: UInt64)]?

    init(_ request: ListingRequest, items: [CloudItem], validator: String?) {
        folder = request.folder
        self.items = items
        self.validator = validator
        askedAt = request.askedAt
        records = request.records
        oldChildren = request.oldChildren
        unheard = request.unheard
        keepsPartialUploads = request.keepsPartialUploads
        temporaryNames = request.temporaryNames
        hostName = request.hostName
        allocateInode = request.allocateInode
        storesLinks = request.storesLinks
        monotonicNow = SystemClocks.monotonicSeconds()
        now = SystemClocks.now()
        names = Set(items.map { NameKey($0.name) })
    }

    /// What can be done before the tree is locked for the next part.
    mutating func prepareNext() {
        guard hasBegun, renames == nil, next >= items.count, missing == nil else { return }
        missing = old.filter { !listed.contains($0.value) }.sorted { $0.value < $1.value }
            .map { ($0.key, $0.value) }
        (old, listed, next) = ([:], [], 0)
    }

    /// Merges the next part, until `isDone`; nothing that changed here since the listing was asked
    /// for is touched (rule 5).
    mutating func takeNext(into tree: inout Tree) -> MergeEffects {
        var effects = MergeEffects()
        guard tree.nodes[folder] != nil else {
            isDone = true
            return effects
        }
        if !hasBegun { begin(in: &tree, &effects) }
        if renames != nil {
            rename(in: &tree, &effects)
        } else if let missing {
            let end = min(next + Self.sliceSize, missing.count)
            for (name, id) in missing[next..<end] { remove(name, id, in: &tree, &effects) }
            next = end
        } else {
            let end = min(next + Self.sliceSize, items.count)
            for item in items[next..<end] {
                guard let id = take(item, into: &tree, &effects, &isCurrent) else { continue }
                listed.insert(id)
            }
            next = end
        }
        // Nobody can have looked up a name in it before this.
        if isNewToKernel { effects.entries.removeAll { $0.parent == folder } }
        if !effects.entries.isEmpty { hasNewEntries = true }
        if let missing, next >= missing.count { finish(in: &tree, &effects) }
        return effects
    }

    private mutating func begin(in tree: inout Tree, _ effects: inout MergeEffects) {
        hasBegun = true
        old = tree.nodes[folder]?.known ?? [:]
        isFirst = tree.nodes[folder]?.children == nil
        isNewToKernel = isFirst && tree.nodes[folder]?.validatedAt == -.infinity
        if old.isEmpty { renames = nil }
        guard !isFirst, items.count + old.count > Self.sliceSize else { return }
        // A crash before the end leaves rows that no validator stands for.
        tree.nodes[folder]?.validator = nil
        if let record = tree.record(of: folder) { effects.changes.append(.put(record)) }
    }

    /// Looks for entries that another client has renamed, before any of the items is taken.
    private mutating func rename(in tree: inout Tree, _ effects: inout MergeEffects) {
        let end = min(next + Self.sliceSize, items.count)
        for item in items[next..<end] {
            guard let id = tree.byKey[ItemKey(item.reference)], let node = tree.nodes[id],
                node.parent == folder, temporaryNames[item.name] == nil,
                !tree.temporaryNames.contains(item.name)
            else { continue }
            let name = shownName(of: item)
            if !node.name.hasSameBytes(as: name) { renames?.add(id, item, name) }
        }
        next = end
        guard next >= items.count else { return }
        let kept = renames?.apply(to: &tree, in: folder, askedAt: askedAt, &effects) ?? []
        for (id, item) in kept {
            guard let node = tree.nodes[id] else { continue }
            // It stays where it is here, with what is unsent in it.
            updateDisplaced(node, item, in: &tree, &effects, &isCurrent)
            isCurrent = false
        }
        (renames, next) = (nil, 0)
    }

    /// An entry that the listing lacks.
    private mutating func remove(
        _ name: NameKey, _ id: UInt64, in tree: inout Tree, _ effects: inout MergeEffects
    ) {
        guard let node = tree.nodes[id], node.parent == folder,
            node.name.hasSameBytes(as: name.name)
        else { return }
        if node.busy > 0 || node.stamp > askedAt {
            isCurrent = false
        } else if node.server != nil, node.displaced == nil, node.working?.isSaved ?? true {
            tree.vanish(id, &effects)
        } else if node.server != nil {
            isCurrent = false
        }
    }

    private mutating func finish(in tree: inout Tree, _ effects: inout MergeEffects) {
        isDone = true
        if isFirst, let node = tree.nodes[folder], node.children == nil {
            tree.nodes[folder]?.children = node.kept
            tree.nodes[folder]?.kept = [:]
        }
        // A row of an item that is gone must not come back with the folder's other rows.
        for record in oldChildren
        where tree.nodes[record.inode.rawValue] == nil && !record.isUnsettled {
            effects.changes.append(.remove(record.inode, version: Tree.nextVersion()))
        }
        tree.nodes[folder]?.isStored = true
        tree.nodes[folder]?.validatedAt = monotonicNow
        tree.nodes[folder]?.validator = isCurrent ? validator : nil
        if isCurrent { tree.outdated.remove(folder) } else { tree.outdated.insert(folder) }
        if !isFirst, hasNewEntries {
            tree.nodes[folder]?.overlay.modified = now
            tree.nodes[folder]?.overlay.changed = now
            effects.attributes.append(folder)
        }
        if let record = tree.record(of: folder) { effects.changes.append(.put(record)) }
    }

    /// Takes one listed item; nil where what we did since counts for more.
    private func take(
        _ item: CloudItem, into tree: inout Tree, _ effects: inout MergeEffects,
        _ isCurrent: inout Bool
    ) -> UInt64? {
        let key = ItemKey(item.reference)
        if tree.temporaryNames.contains(item.name) {
            isCurrent = false
            return nil
        }
        if let gone = tree.departed[key], gone > askedAt {
            isCurrent = false
            return nil
        }
        let name = shownName(of: item)
        if let id = tree.byKey[key], let node = tree.nodes[id] {
            if node.busy > 0 || node.stamp > askedAt {
                isCurrent = false
                return id
            }
            // A name given here for the time of a few calls is nobody's wish.
            if node.displaced != nil || temporaryNames[item.name] != nil {
                updateDisplaced(node, item, in: &tree, &effects, &isCurrent)
            } else {
                update(node, item, name: name, in: &tree, &effects, &isCurrent)
            }
            return id
        }
        if records[key] == nil, isUnheard(item, in: tree, &effects) {
            isCurrent = false
            return nil
        }
        if let holder = tree.child(of: folder, named: name) {
            if holder.busy > 0 || holder.stamp > askedAt || holder.isUnsettled
                || !(holder.working?.isSaved ?? true)
            {
                // The name is ours until the next save finds the other one there.
                isCurrent = false
                return holder.id
            }
            tree.vanish(holder.id, &effects)
            guard tree.child(of: folder, named: name) == nil else {
                isCurrent = false
                return holder.id
            }
        }
        return insert(item, key: key, name: name, into: &tree, &effects)
    }

    /// Whether an item may be what was sent unheard of a file that has another place here by now, or
    /// none: decided with the tree as it is when the listing is taken over.
    private func isUnheard(
        _ item: CloudItem, in tree: Tree, _ effects: inout MergeEffects
    ) -> Bool {
        for sent in unheard
        where sent.name.hasSameBytes(as: item.name)
            && sent.canBe(item, inPart: keepsPartialUploads)
        {
            guard let reference = tree.reference(of: folder),
                ItemKey(sent.folder) == ItemKey(reference)
            else { continue }
            let place = tree.nodes[sent.inode].flatMap { tree.goal(of: $0) }
            if let place, place.folder == folder, place.name.name.hasSameBytes(as: item.name) {
                continue
            }
            if place == nil { effects.orphans.insert(NameKey(item.name)) }
            return true
        }
        return false
    }

    private func insert(
        _ item: CloudItem, key: ItemKey, name: String, into tree: inout Tree,
        _ effects: inout MergeEffects
    ) -> UInt64 {
        let record = records[key]
        let inode = record?.inode ?? allocateInode()
        // A node of that number may still be open as an old version: then the new one has its own.
        let isTaken = tree.nodes[inode.rawValue] != nil
        let id = isTaken ? allocateInode().rawValue : inode.rawValue
        var node = Node(id: id, inode: inode, kind: kind(of: item), parent: folder, name: name)
        node.server = ServerSide(item)
        node.overlay = record?.overlay ?? LocalOverlay()
        node.symlinkTarget = record?.server?.revision == item.revision ? record?.symlinkTarget : nil
        if node.isFolder, let record, !isTaken {
            // Its entries' rows came with it.
            (node.isStored, node.validator) = (record.isListed, record.listingValidator)
        }
        tree.attach(node)
        effects.entries.append((folder, name))
        if let record = tree.record(of: id) { effects.changes.append(.put(record)) }
        if let old = temporaryNames[item.name],
            let name = tree.endTemporaryName(of: id, old, hostName: hostName)
        {
            effects.entries.append((folder, name))
            effects.changes += tree.recordChanges(of: [id])
        }
        return id
    }

    /// An item that this machine has moved or removed: only the server's side of it may change.
    private func updateDisplaced(
        _ node: Node, _ item: CloudItem, in tree: inout Tree, _ effects: inout MergeEffects,
        _ isCurrent: inout Bool
    ) {
        let home = NodePlace(folder: folder, name: item.name)
        var server = ServerSide(item)
        if node.isRemoved || node.kind == .file && node.working != nil || node.openHandles > 0 {
            // The version that was seen, which what is done here is based on.
            if node.server?.revision != server.revision { isCurrent = false }
            server.revision = node.server?.revision
            server.size = node.server?.size ?? 0
        } else if node.server?.revision != server.revision {
            effects.contents.append(node.id)
        }
        guard node.displaced != home || node.server != server else { return }
        tree.acknowledge(node.id, server, at: home)
        tree.compare(node.id)
        effects.changes += tree.recordChanges(of: [node.id])
    }

    private func update(
        _ node: Node, _ item: CloudItem, name: String, in tree: inout Tree,
        _ effects: inout MergeEffects, _ isCurrent: inout Bool
    ) {
        let server = ServerSide(item)
        let hasMoved = node.parent != folder || !node.name.hasSameBytes(as: name)
        guard hasMoved || node.server != server else { return }
        if hasMoved {
            if let holder = tree.child(of: folder, named: name), holder.id != node.id {
                let isOurs =
                    holder.busy > 0 || holder.isUnsettled || holder.working?.isSaved == false
                if !isOurs { tree.vanish(holder.id, &effects) }
                guard tree.child(of: folder, named: name) == nil else {
                    // It stays where it is here, with what is unsent in it.
                    isCurrent = false
                    return updateDisplaced(node, item, in: &tree, &effects, &isCurrent)
                }
            }
            if let parent = node.parent { effects.entries.append((parent, node.name)) }
            tree.move(node.id, to: folder, name: name)
            effects.entries.append((folder, name))
        }
        if node.server?.revision != server.revision, tree.mayBeTimeOnly(item, of: node.id),
            tree.unsentTime(of: node) != nil
        {
            // The job that is to send the time finds out.
            isCurrent = false
        } else if node.server?.revision != server.revision, node.kind == .file {
            // Unsent changes, or those of a file that is open, meet the other version when they
            // are saved (rule 4).
            guard node.working == nil else {
                isCurrent = false
                return
            }
            updateContent(of: node, server, name: name, in: &tree, &effects)
        } else if node.working == nil || node.server?.revision == server.revision {
            tree.acknowledge(node.id, server)
            effects.attributes.append(node.id)
            if let record = tree.record(of: node.id) { effects.changes.append(.put(record)) }
        }
    }

    /// A new remote version: open files keep the old one as a node without a name.
    private func updateContent(
        of node: Node, _ server: ServerSide, name: String, in tree: inout Tree,
        _ effects: inout MergeEffects
    ) {
        if node.openHandles == 0 {
            tree.acknowledge(node.id, server)
            tree.nodes[node.id]?.symlinkTarget = nil
            effects.contents.append(node.id)
            if let record = tree.record(of: node.id) { effects.changes.append(.put(record)) }
            return
        }
        let id = allocateInode().rawValue
        var successor = Node(id: id, inode: node.inode, kind: .file, parent: folder, name: name)
        successor.server = server
        successor.overlay = node.overlay
        tree.detach(node.id)
        tree.attach(successor)
        effects.entries.append((folder, name))
        if let record = tree.record(of: id) { effects.changes.append(.put(record)) }
    }

    private func kind(of item: CloudItem) -> FileKind {
        if item.reference.isFolder { return .folder }
        return storesLinks && item.name.hasSuffix(LinkName.suffix) ? .symbolicLink : .file
    }

    /// A stored link loses its suffix, unless another item has the short name.
    private func shownName(of item: CloudItem) -> String {
        guard kind(of: item) == .symbolicLink else { return item.name }
        let short = LinkName.shown(item.name)
        return names.contains(NameKey(short)) ? item.name : short
    }
}

extension InodeRecord {
    /// Whether it speaks of anything that the server lacks or has otherwise.
    fileprivate var isUnsettled: Bool {
        server == nil || contentFile != nil || isRemoved || serverPlace != nil || isLocalOnly
    }
}

extension ServerSide {
    init(_ item: CloudItem) {
        self.init(
            reference: item.reference, revision: item.revision, size: item.size,
            modified: item.modified, permissions: item.permissions, isLocked: item.isLocked,
            lockHolder: item.lockHolder, lockExpires: item.lockExpires)
    }
}
