import BlockCache
import CloudStorage
import FileSystemTypes
import Reconciler
import StateStore

/// The two sides of a node: where and what the server has, where and what this machine wants.
extension Tree {
    /// Where the server has a node; nil where it has not.
    func home(of node: Node) -> NodePlace? {
        guard node.server != nil else { return nil }
        return node.displaced ?? localPlace(of: node)
    }

    /// Where this machine wants a node; nil: gone.
    func goal(of node: Node) -> NodePlace? { node.isRemoved ? nil : localPlace(of: node) }

    private func localPlace(of node: Node) -> NodePlace? {
        node.parent.map { NodePlace(folder: $0, name: serverName(of: node)) }
    }

    /// What the reconciler is to know of a node; nil where the sides agree, or need not.
    func difference(of id: UInt64) -> Difference? {
        guard id != Tree.rootID, let node = nodes[id], node.server?.reference.kind != .root
        else { return nil }
        if node.parent == nil && !node.isRemoved { return nil }
        if node.server == nil && (node.isLocalOnly || node.isRemoved) { return nil }
        let content = unsentContent(of: node)
        var growth: Int64 = 0
        if case .ready(let size) = content { growth = size - (node.server?.size ?? 0) }
        return Difference(
            kind: node.isFolder ? .folder : .file, wanted: goal(of: node), home: home(of: node),
            content: content, growth: growth,
            isTimeUnsent: unsentTime(of: node) != nil, isHeld: isHeld(node),
            changedAt: node.changedAt, expectation: expectation(of: node))
    }

    private func expectation(of node: Node) -> Difference.Expectation {
        if node.writeHandles > 0 { return .moreContent }
        if PassingName.matches(node.name) { return .otherName }
        guard !node.isFolder, let home = node.displaced, home.folder == node.parent,
            PassingName.isVariant(node.name, of: shownName(of: node, storedAs: home.name.name))
        else { return .nothing }
        return .otherName
    }

    private func unsentContent(of node: Node) -> Difference.Content {
        guard !node.isRemoved, let working = node.working, !working.isSaved else { return .none }
        guard node.writeHandles == 0 || node.isFlushed else { return .open }
        return .ready(size: working.size)
    }

    /// Whether a removed file is still read and would become unreadable.
    func isHeld(_ node: Node) -> Bool {
        node.isRemoved && node.openHandles > 0 && node.working == nil
            && node.cached?.isComplete == false
    }

    /// Tells the reconciler how a node's sides stand now.
    mutating func compare(_ id: UInt64) {
        let difference = difference(of: id)
        work.set(id, difference)
        if difference?.isSettled ?? true { nodes[id]?.saveError = nil }
    }

    /// Records what the server has of a node, and where.
    mutating func acknowledge(_ id: UInt64, _ server: ServerSide, at place: NodePlace) {
        if let old = nodes[id], old.server?.revision != server.revision || home(of: old) != place {
            for folder in Set([home(of: old)?.folder, place.folder].compactMap(\.self)) {
                forgetValidator(of: folder)
            }
        }
        acknowledge(id, server)
        guard let node = nodes[id] else { return }
        let displaced = goal(of: node) == place ? nil : place
        nodes[id]?.displaced = displaced
    }

    /// A call of ours has changed a folder's entries: what is known of it is no longer what its
    /// validator stood for, and the server may come to have that again.
    mutating func forgetValidator(of folder: UInt64) {
        guard nodes[folder]?.isFolder == true else { return }
        nodes[folder]?.validator = nil
        unrecordedFolders.insert(folder)
    }

    /// Notes a change made here; the caller compares the sides when it is done.
    mutating func noteLocalChange(of id: UInt64) {
        let now = chance.monotonicSeconds()
        nodes[id]?.changedAt = now
        load.note(now: now)
        nodes[id]?.saveError = nil
        touchFolders(of: id)
    }

    /// Gives a node another folder and name here; the server's side stays where it is.
    mutating func moveLocally(_ id: UInt64, to parent: UInt64, name: String) {
        guard let node = nodes[id] else { return }
        let home = home(of: node)
        move(id, to: parent, name: name)
        guard let moved = nodes[id] else { return }
        let displaced = home == goal(of: moved) ? nil : home
        nodes[id]?.displaced = displaced
        noteLocalChange(of: id)
        compare(id)
    }

    /// Takes a node's name away here; what the server has of it waits to be deleted.
    mutating func removeLocally(_ id: UInt64) {
        guard let node = nodes[id], let parent = node.parent else { return }
        let home = home(of: node)
        if entry(node.name, of: parent) == id { setEntry(node.name, of: parent, to: nil) }
        nodes[id]?.isRemoved = true
        nodes[id]?.displaced = home
        nodes[id]?.parent = nil
        noteLocalChange(of: id)
        compare(id)
        dropIfUnused(id)
    }

    /// Undoes a removal or a move that the server refused: the node is again where the server has
    /// it, or beside it where the name is taken. Returns the place, nil where nothing was undone.
    mutating func bringBack(_ id: UInt64, hostName: String) -> (parent: UInt64, name: String)? {
        guard let node = nodes[id], let home = node.displaced, canBringBack(node) else {
            return nil
        }
        var wantedName = shownName(of: node, storedAs: home.name.name)
        if TemporaryName.matches(wantedName) {
            // The name it had is not known any more after a restart.
            wantedName =
                TemporaryName.matches(node.name)
                ? "recovered" + SplitName(wantedName).fileExtension : node.name
        }
        let name = freeName(like: wantedName, in: home.folder, hostName: hostName)
        nodes[id]?.isRemoved = false
        move(id, to: home.folder, name: name)
        guard let moved = nodes[id] else { return nil }
        let displaced = goal(of: moved) == home ? nil : home
        nodes[id]?.displaced = displaced
        // A listing may have shown a version of it that was not taken over.
        forgetValidator(of: home.folder)
        compare(id)
        return (home.folder, name)
    }

    /// A name that nothing here has, the wanted one where it is free.
    private func freeName(like wanted: String, in folder: UInt64, hostName: String) -> String {
        var name = wanted
        var attempt = 1
        while child(of: folder, named: name) != nil {
            name = ConflictName.make(
                for: wanted, host: hostName, date: chance.nameStamp(), attempt: attempt)
            attempt += 1
        }
        return name
    }

    /// An item that was given a temporary name here, and that nothing here stands for any more, is
    /// to have a name again that a person recognises. Returns the name.
    mutating func endTemporaryName(of id: UInt64, _ old: String, hostName: String) -> String? {
        guard let node = nodes[id], let folder = node.parent else { return nil }
        let wanted =
            TemporaryName.matches(old) ? "recovered" + SplitName(node.name).fileExtension : old
        let name = freeName(like: wanted, in: folder, hostName: hostName)
        moveLocally(id, to: folder, name: name)
        return name
    }

    func canBringBack(_ node: Node) -> Bool {
        guard node.server != nil, let home = node.displaced else { return false }
        return nodes[home.folder]?.children != nil && nodes[home.folder]?.isRemoved == false
    }

    /// Parts the server's version of a removed file from what a program wrote into it, which is
    /// gone with the removal. Returns the node that stands for the server's version, to be brought
    /// back in its place, and the row that goes.
    /// - Parameter isSent: whether some of it may arrive on the server yet, which is nobody's then.
    mutating func partFromUnsent(
        _ id: UInt64, isSent: Bool, _ allocate: () -> InodeNumber
    ) -> (id: UInt64, change: StateChange)? {
        guard let node = nodes[id], node.isRemoved, node.working != nil || isSent,
            canBringBack(node), let server = node.server, let home = node.displaced
        else { return nil }
        acknowledge(id, nil)
        compare(id)
        return (addRemoved(server, of: node, at: home, allocate()), removal(of: node))
    }

    /// What the server has of a node becomes an item of its own, which is removed here. Returns it.
    mutating func addRemoved(
        _ server: ServerSide, of node: Node, at home: NodePlace, _ inode: InodeNumber
    ) -> UInt64 {
        var rest = Node(
            id: inode.rawValue, inode: inode, kind: node.kind, parent: nil, name: node.name)
        rest.server = server
        rest.isRemoved = true
        rest.displaced = home
        nodes[rest.id] = rest
        byKey[ItemKey(server.reference)] = rest.id
        return rest.id
    }

    private func shownName(of node: Node, storedAs name: String) -> String {
        node.kind == .symbolicLink ? LinkName.shown(name) : name
    }

    /// The folder and name of a place as the server knows them; nil where the folder is not there.
    func serverPlace(at place: NodePlace) -> ServerPlace? {
        reference(of: place.folder).map { ServerPlace(folder: $0, name: place.name.name) }
    }

    /// Where a node's content belongs on the server: where it has it, else where it is wanted.
    func storagePlace(of id: UInt64) -> NodePlace? {
        guard let node = nodes[id] else { return nil }
        return home(of: node) ?? goal(of: node)
    }

    /// The root of the server that a node is in.
    func root(of id: UInt64) -> RootIdentifier? {
        var current = id
        for _ in 0..<4096 {
            guard let node = nodes[current] else { return nil }
            if let root = node.server?.reference.root { return root }
            guard let parent = node.parent, parent != current else { return nil }
            current = parent
        }
        return nil
    }

    /// Whether something below a folder, or the folder's own new name, is not on the server yet.
    func hasUnsettled(below id: UInt64) -> Bool {
        var folders = [id]
        while let next = folders.popLast() {
            for child in nodes[next]?.known.values ?? [:].values {
                guard let node = nodes[child] else { continue }
                if node.isUnsettled || node.working?.isSaved == false { return true }
                if node.isFolder { folders.append(child) }
            }
        }
        return false
    }
}
