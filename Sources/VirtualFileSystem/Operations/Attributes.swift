import CloudStorage
package import FileSystemTypes
import Reconciler
import StateStore
import Synchronization

/// Changing attributes.
extension VirtualFileSystem {
    /// Sets size, mode, owner and times. The size concerns the server, and the modification time,
    /// where it keeps one; the others are kept in the state table for the revision they were set on
    /// (DESIGN section 8).
    package func setattr(
        node: UInt64, changes: AttributeChanges, handle: UInt64?, caller: Caller
    ) -> Outcome<FileAttributes> {
        guard !options.isReadOnly else { return .failure(.readOnly, "the mount is read-only") }
        guard let size = changes.size else {
            guard isInPlace(node) else {
                return now { () throws(FileSystemError) in try applyOverlay(changes, to: node) }
            }
            return pending { () throws(FileSystemError) in
                // What was written before does not change a time that is set now.
                try await self.noteInPlace(node)
                return try self.applyOverlay(changes, to: node)
            }
        }
        let open = handle.flatMap { handle in
            tree.withLock { $0.handles[handle] }
        }
        if let open, open.options.contains(.write),
            let working = tree.withLock({ $0.nodes[node]?.working })
        {
            return now { () throws(FileSystemError) in
                try checkGrowth(of: node, to: size)
                try working.truncate(to: size)
                noteChange(of: node, handle: handle)
                return try applyOverlay(changes, to: node)
            }
        }
        return pending { () throws(FileSystemError) in
            try await self.truncate(node, to: size, caller: caller)
            return try self.applyOverlay(changes, to: node)
        }
    }

    /// truncate(2) on a path: opens the file, changes it and stores it.
    private func truncate(
        _ node: UInt64, to size: Int64, caller: Caller
    ) async throws(FileSystemError) {
        let options: OpenOptions = size == 0 ? [.write, .truncate] : [.write]
        let file = try await open(node: node, options: options, caller: caller).value()
        let result: Result<Void, FileSystemError>
        do throws(FileSystemError) {
            if let working = tree.withLock({ $0.nodes[node]?.working }) {
                try checkGrowth(of: node, to: size)
                try await disk.run { () throws(FileSystemError) in try working.truncate(to: size) }
                noteChange(of: node, handle: file.handle)
            }
            try await flush(handle: file.handle).value()
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await release(handle: file.handle).value()
        try result.get()
    }

    private func applyOverlay(
        _ changes: AttributeChanges, to node: UInt64
    ) throws(FileSystemError) -> FileAttributes {
        let now = SystemClocks.now()
        let sendsTime = changes.modified != nil && cloud.capabilities.setsModificationTime
        let (attributes, record) = try tree.withLock {
            tree throws(FileSystemError) -> (FileAttributes, InodeRecord?) in
            var known = try tree.node(node)
            if known.notice != nil {
                throw FileSystemError(.locked, "\(known.name) stands for somebody else's lock")
            }
            if sendsTime, !known.isLocalOnly { try tree.checkLock(of: known) }
            var overlay = known.overlay
            if overlay.revision != known.server?.revision, known.working == nil, !known.isFolder {
                overlay.modified = nil
                overlay.changed = nil
                overlay.accessed = nil
            }
            if changes.userID != nil || changes.groupID != nil { overlay.clearSetIDBits() }
            if let mode = changes.mode { overlay.mode = mode & 0o7777 }
            if let user = changes.userID { overlay.userID = user }
            if let group = changes.groupID { overlay.groupID = group }
            if let accessed = changes.accessed { overlay.accessed = accessed.time(now: now) }
            if let modified = changes.modified { overlay.modified = modified.time(now: now) }
            // What is shown of a file without an own time must not move when only others are set.
            if overlay.modified == nil, !known.isFolder {
                overlay.modified = known.server?.modified
            }
            overlay.changed = now
            overlay.revision = known.isFolder ? nil : known.server?.revision
            known.overlay = overlay
            if sendsTime { known.isTimeUnsent = known.kind == .file && !known.isLocalOnly }
            tree.nodes[node] = known
            // A new file that no close has confirmed has no row yet.
            let isUnconfirmed =
                known.server == nil && known.working != nil && known.working?.kept == nil
            let attributes = tree.attributes(of: known, options: options)
            return (attributes, isUnconfirmed ? nil : tree.record(of: node))
        }
        // Together, since a time that is in the row alone would never be sent.
        let row = record.map { [StateChange.put($0)] } ?? []
        let rows = row + (sendsTime ? noteTime(of: node) : [])
        if !rows.isEmpty { store.enqueue(rows) }
        if sendsTime { wake() }
        return attributes
    }

    /// Notes that a handle changed its file's content.
    func noteChange(of node: UInt64, handle: UInt64?) {
        let now = SystemClocks.now()
        tree.withLock { tree in
            let wasFlushed = tree.nodes[node]?.isFlushed == true
            tree.nodes[node]?.noteChange(at: now)
            let isFirst = handle.map { tree.handles[$0]?.hasWritten == false } ?? false
            if let handle, isFirst { tree.handles[handle]?.hasWritten = true }
            if isFirst || wasFlushed { tree.compare(node) }
        }
    }

    /// Refuses a size that policy or quota would refuse at upload.
    func checkGrowth(of node: UInt64, to size: Int64) throws(FileSystemError) {
        guard size >= 0 else { throw FileSystemError(.invalidArgument, "negative size") }
        try tree.withLock { tree throws(FileSystemError) in
            guard let known = tree.nodes[node], !known.isLocalOnly, let account = tree.account
            else { return }
            if let limit = account.policy.maximumFileSize, size > limit {
                throw FileSystemError(
                    .tooLarge, "the organisation allows files of at most \(limit) bytes")
            }
            if let quota = account.quota {
                let growth = size - (known.server?.size ?? 0)
                let waiting = tree.bytesWaiting - (tree.work.difference(of: node)?.growth ?? 0)
                let free = quota.total - quota.used - tree.bytesSinceAccount - waiting
                if growth > 0, growth > free {
                    throw FileSystemError(.quotaExceeded, "the account's quota is used up")
                }
            }
        }
    }
}

extension Node {
    /// Notes that the content is another.
    mutating func noteChange(at time: FileTime) {
        // What fsync has confirmed could be sent; what is only written so far must not be.
        isFlushed = false
        overlay.modified = time
        isTimeUnsent = false
        overlay.changed = time
        overlay.clearSetIDBits()
    }
}

extension LocalOverlay {
    /// What a changed content or owner takes away: set-user-ID, and set-group-ID of executables
    /// (the kernel leaves it to the driver, FUSE_HANDLE_KILLPRIV_V2).
    fileprivate mutating func clearSetIDBits() {
        guard let old = mode else { return }
        mode = old & ~(old & 0o010 != 0 ? 0o6000 : 0o4000)
    }
}

extension TimeChange {
    fileprivate func time(now: FileTime) -> FileTime {
        switch self {
        case .now: now
        case .time(let time): time
        }
    }
}
