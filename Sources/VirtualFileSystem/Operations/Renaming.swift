import BlockCache
import CloudStorage
import FileSystemTypes
import Reconciler
import StateStore
import Synchronization

/// Renaming: within a folder, between folders, over an existing name, and exchanging two names.
extension VirtualFileSystem {
    /// rename(2) and renameat2(2).
    package func rename(
        parent: UInt64, name: String, newParent: UInt64, newName: String, mode: RenameMode,
        caller: Caller
    ) -> Outcome<Void> {
        pending { () throws(FileSystemError) in
            try await self.ensureListed(parent)
            try await self.ensureListed(newParent)
            let job = try self.renameJob(
                from: (parent, name), to: (newParent, newName), mode: mode)
            guard job.source.id != job.target?.id else { return }
            if let target = job.target, target.isFolder, mode == .replace {
                try await self.checkEmpty(target.id)
            }
            if job.becomesLocal { try await self.keepHere(job.source.id) }
            try await self.carryOut(job)
        }
    }

    /// A rename that was found to be allowed.
    private struct RenameJob {
        var source: Node
        var target: Node?
        var parent: UInt64
        var newParent: UInt64
        var newName: String
        var mode: RenameMode
        /// The new name is one that stays on this machine, the old one isn't.
        var becomesLocal: Bool
    }

    private func renameJob(
        from: (parent: UInt64, name: String), to: (parent: UInt64, name: String), mode: RenameMode
    ) throws(FileSystemError) -> RenameJob {
        let source = try removable(parent: from.parent, name: from.name)
        let target = tree.withLock { $0.child(of: to.parent, named: to.name) }
        let storedName = source.kind == .symbolicLink ? LinkName.stored(to.name) : to.name
        try checkCreation(of: storedName, in: to.parent)
        if source.kind == .file { try checkPolicy(for: to.name) }
        if target != nil { _ = try removable(parent: to.parent, name: to.name) }
        switch mode {
        case .noReplace where target != nil:
            throw FileSystemError(.exists, "\(to.name) exists")
        case .exchange where target == nil:
            throw FileSystemError(.notFound, "no \(to.name) to exchange with")
        case .replace:
            if let target, target.isFolder != source.isFolder {
                throw target.isFolder
                    ? FileSystemError(.isFolder, "\(to.name) is a folder")
                    : FileSystemError(.notFolder, "\(to.name) is no folder")
            }
        case .noReplace, .exchange: break
        }
        try tree.withLock { tree throws(FileSystemError) in
            if source.isFolder, tree.isBelow(to.parent, source.id) {
                throw FileSystemError(.invalidArgument, "a folder can't move into itself")
            }
            if mode == .exchange, let target, tree.isBelow(from.parent, target.id) {
                throw FileSystemError(.invalidArgument, "a folder can't move into itself")
            }
            guard tree.root(of: from.parent) == tree.root(of: to.parent) else {
                throw FileSystemError(.crossRoot, "the cloud can't move between roots")
            }
        }
        return RenameJob(
            source: source, target: target, parent: from.parent, newParent: to.parent,
            newName: to.name, mode: mode,
            becomesLocal: source.kind == .file && !source.isLocalOnly
                && mode != .exchange && staysHere(to.name))
    }

    private func carryOut(_ job: RenameJob) async throws(FileSystemError) {
        let items = [job.source.id] + (job.target.map { [$0.id] } ?? [])
        let changes = try tree.withLock { tree throws(FileSystemError) in
            guard tree.child(of: job.parent, named: job.source.name)?.id == job.source.id,
                tree.child(of: job.newParent, named: job.newName)?.id == job.target?.id
            else { throw FileSystemError(.notFound, "the names changed meanwhile") }
            return apply(job, to: &tree)
        }
        try await journal(changes)
        ownerFileIsGone(job.source.id)
        if let target = job.target { ownerFileIsGone(target.id) }
        if let target = job.target, job.mode != .exchange {
            await retireWorkingCopy(of: target.id)
        }
        guard options.synchronization != .none else { return }
        do throws(FileSystemError) {
            try await settle(items)
        } catch {
            // Content that was never sent stays under its new name, and is tried again.
            let wasStored = tree.withLock { $0.nodes[job.source.id]?.server != nil }
            if wasStored { bringBack(items) }
            throw error
        }
    }

    private func apply(_ job: RenameJob, to tree: inout Tree) -> [StateChange] {
        var changes: [StateChange] = []
        let id = job.source.id
        if job.mode == .exchange, let target = job.target {
            tree.exchangeLocally(id, target.id)
        } else {
            if let target = job.target { changes += tree.removeNameLocally(target.id) }
            if job.source.isLocalOnly {
                tree.nodes[id]?.isLocalOnly = staysHere(job.newName)
            }
            // What it takes the place of must not be lost with it.
            if job.target != nil { tree.nodes[id]?.keepUnconfirmed() }
            if job.becomesLocal { changes += tree.keepLocally(id, store.allocateInode) }
            tree.moveLocally(id, to: job.newParent, name: job.newName)
        }
        tree.nodes[id]?.overlay.changed = SystemClocks.now()
        tree.touch(job.parent)
        tree.touch(job.newParent)
        tree.compare(id)
        let ids = [id, job.parent, job.newParent] + (job.target.map { [$0.id] } ?? [])
        return changes + tree.recordChanges(of: ids)
    }

    /// Brings all of a file's content to this machine, before it stays here.
    private func keepHere(_ id: UInt64) async throws(FileSystemError) {
        let isPrepared = try await inGate([id]) { () throws(FileSystemError) in
            try await self.prepareWorkingCopy(of: id, truncated: false)
            return self.tree.withLock { $0.nodes[id]?.working }
        }
        guard let isPrepared else { return }
        try await isPrepared.fill(ByteRange(0, isPrepared.size), on: disk)
    }

    /// Runs work while no other changes the nodes on the server.
    func inGate<Value: Sendable>(
        _ keys: Set<UInt64>, _ body: () async throws(FileSystemError) -> Value
    ) async throws(FileSystemError) -> Value {
        let result: Result<Value, FileSystemError> = await gate.enter(keys) {
            do throws(FileSystemError) {
                return .success(try await body())
            } catch {
                return .failure(error)
            }
        }
        return try result.get()
    }
}

extension Node {
    /// A new file that no close has confirmed survives from now on as it is.
    fileprivate mutating func keepUnconfirmed() {
        if server == nil, let working, working.kept == nil { working.keep(whole: false) }
    }
}

extension Tree {
    /// Two items take each other's names here.
    mutating func exchangeLocally(_ first: UInt64, _ second: UInt64) {
        guard let one = nodes[first], let other = nodes[second],
            let oneParent = one.parent, let otherParent = other.parent
        else { return }
        let homes = (home(of: one), home(of: other))
        nodes[first]?.parent = otherParent
        nodes[first]?.name = other.name
        nodes[second]?.parent = oneParent
        nodes[second]?.name = one.name
        setEntry(other.name, of: otherParent, to: first)
        setEntry(one.name, of: oneParent, to: second)
        for (id, home) in [(first, homes.0), (second, homes.1)] {
            guard let node = nodes[id] else { continue }
            let displaced = home == goal(of: node) ? nil : home
            nodes[id]?.displaced = displaced
            noteLocalChange(of: id)
            compare(id)
        }
    }

    /// A file of the server stays on this machine from now on: what the server has is removed, as
    /// an item of its own. Returns that item's row.
    mutating func keepLocally(_ id: UInt64, _ allocate: () -> InodeNumber) -> [StateChange] {
        guard let node = nodes[id], let server = node.server, let home = home(of: node) else {
            nodes[id]?.isLocalOnly = true
            compare(id)
            return []
        }
        acknowledge(id, nil)
        nodes[id]?.isLocalOnly = true
        nodes[id]?.working?.markUnsaved()
        nodes[id]?.working?.keep(whole: true)
        let rest = addRemoved(server, of: node, at: home, allocate())
        nodes[rest]?.changedAt = chance.monotonicSeconds()
        compare(rest)
        compare(id)
        return recordChanges(of: [rest])
    }
}
