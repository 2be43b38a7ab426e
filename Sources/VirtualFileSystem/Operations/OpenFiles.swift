import BlockCache
import CloudStorage
import FileSystemTypes
import Logging
import StateStore
import Synchronization

/// Opening and closing files.
extension VirtualFileSystem {
    /// Opens a file. For writing, the server's lock is taken before this answers.
    package func open(node: UInt64, options: OpenOptions, caller: Caller) -> Outcome<OpenedFile> {
        if options.contains(.write) {
            return pending { () throws(FileSystemError) in
                try await self.openForWriting(node, options: options)
            }
        }
        if isAboutToBeBacked(node) {
            return pending { () throws(FileSystemError) in
                await self.awaitConfirmation(of: node)
                return try self.openForReading(node, options: options)
            }
        }
        return now { () throws(FileSystemError) in try openForReading(node, options: options) }
    }

    private func openForReading(
        _ id: UInt64, options: OpenOptions
    ) throws(FileSystemError) -> OpenedFile {
        // A working copy may become cached content between the look and the opening.
        for _ in 0..<64 {
            let node = try tree.withLock { tree throws(FileSystemError) in try tree.node(id) }
            guard node.kind == .file else { throw Self.notAFile(node) }
            var content: CachedContent?
            if node.working == nil, node.cached == nil, let server = node.server {
                let reference = tree.withLock { $0.reference(of: id) } ?? server.reference
                content = try cachedContent(for: server, reference: reference)
            }
            let offer = content.flatMap { offerToKernel($0) }
            if let file = try finishOpening(id, options: options, content: content, offer) {
                if let content { noteOpened(file: id, content: content) }
                return file
            }
        }
        throw FileSystemError(.inputOutput, "the content kept changing")
    }

    private func openForWriting(
        _ id: UInt64, options: OpenOptions
    ) async throws(FileSystemError) -> OpenedFile {
        try checkWritable(id)
        await awaitLeavingPlace(of: id)
        try await takeLock(ofOwnerFile: id)
        // Counted before the lock is looked at, so that no close gives it back in between.
        tree.withLock { $0.nodes[id]?.lockClaims += 1 }
        let result: Result<OpenedFile, FileSystemError>
        do throws(FileSystemError) {
            result = .success(try await openUnderLock(id, options: options))
        } catch {
            result = .failure(error)
        }
        tree.withLock { $0.nodes[id]?.lockClaims -= 1 }
        if case .failure = result { await abandonOpening(of: id) }
        return try result.get()
    }

    private func openUnderLock(
        _ id: UInt64, options: OpenOptions
    ) async throws(FileSystemError) -> OpenedFile {
        let readsFirst = options.contains(.read) && !options.contains(.truncate)
        try await takeLock(id, readsFirst: readsFirst)
        if let file = try await openWorkingCopy(id, options: options) { return file }
        return try await inGate([id]) { () throws(FileSystemError) in
            try self.checkWritable(id)
            try await self.prepareWorkingCopy(of: id, truncated: options.contains(.truncate))
            let offer = try await self.offerInPlaceFilled(id, options: options)
            return try self.openPrepared(id, options: options, offer)
        }
    }

    /// An opening has failed: what closes left to it meanwhile is done.
    private func abandonOpening(of id: UInt64) async {
        await giveLockBack(id)
        let isUnused = tree.withLock { tree in
            guard let node = tree.nodes[id], !node.isBeingWritten else { return false }
            return node.working != nil || node.holdsLock
        }
        if isUnused, !leaveUnsent(id) { await finishWriting(id) }
    }

    /// Opens a file that has a working copy already, which an upload under way does not hinder.
    private func openWorkingCopy(
        _ id: UInt64, options: OpenOptions
    ) async throws(FileSystemError) -> OpenedFile? {
        let working = tree.withLock { tree -> WorkingCopy? in
            guard let node = tree.nodes[id], let working = node.working, !node.isRetiring else {
                return nil
            }
            // Counted at once, so that it isn't taken away in between.
            tree.nodes[id]?.writeHandles += 1
            return working
        }
        guard let working else { return nil }
        defer { tree.withLock { $0.nodes[id]?.writeHandles -= 1 } }
        if options.contains(.truncate) {
            try await disk.run { () throws(FileSystemError) in try working.truncate(to: 0) }
            noteChange(of: id, handle: nil)
        }
        let offer = try await offerInPlaceFilled(id, options: options)
        return try openPrepared(id, options: options, offer)
    }

    /// Opens a file that has a working copy, which stays for as long as the caller keeps it.
    /// - Parameter inPlace: the same, handed to the kernel.
    func openPrepared(
        _ id: UInt64, options: OpenOptions, _ inPlace: InPlaceFile?
    ) throws(FileSystemError) -> OpenedFile {
        guard let file = try finishOpening(id, options: options, content: nil, inPlace: inPlace)
        else {
            throw FileSystemError(.stale, "the file has no content")
        }
        return file
    }

    static func notAFile(_ node: Node) -> FileSystemError {
        node.isFolder
            ? FileSystemError(.isFolder, "\(node.name) is a folder")
            : FileSystemError(.invalidArgument, "\(node.name) is no regular file")
    }

    /// Refuses what the account may not write.
    func checkWritable(_ id: UInt64) throws(FileSystemError) {
        guard !options.isReadOnly else {
            throw FileSystemError(.readOnly, "the mount is read-only")
        }
        try tree.withLock { tree throws(FileSystemError) in
            let node = try tree.node(id)
            guard node.kind == .file else { throw Self.notAFile(node) }
            guard node.parent != nil || node.openHandles > 0 else {
                throw FileSystemError(.stale, "the file is gone")
            }
            guard tree.permissions(of: node).contains(.write) else {
                throw FileSystemError(.accessDenied, "the account may not change \(node.name)")
            }
            if node.notice != nil {
                throw FileSystemError(.locked, "\(node.name) stands for somebody else's lock")
            }
        }
    }

    /// Gives a file a working copy, over the version the server has.
    func prepareWorkingCopy(of id: UInt64, truncated: Bool) async throws(FileSystemError) {
        let node = try tree.withLock { tree throws(FileSystemError) in try tree.node(id) }
        var working = node.working
        if working == nil {
            var base: CachedContent?
            if let server = node.server, !truncated, server.size > 0 {
                let reference = tree.withLock { $0.reference(of: id) } ?? server.reference
                base = try cachedContent(for: server, reference: reference)
            }
            working = try await newWorkingCopy(of: node.inode, base: base)
            if node.server?.size == 0 { working?.markSaved(0) }
        } else if truncated, let working {
            try await disk.run { () throws(FileSystemError) in try working.truncate(to: 0) }
        }
        let isNew = node.working == nil
        let finished = working
        let (old, backed) = tree.withLock { tree -> (CachedContent?, BackedFile?) in
            guard var changed = tree.nodes[id] else { return (nil, nil) }
            changed.working = finished
            // Nobody writes to a new one yet.
            if isNew { finished?.setMirror(changed.backed) }
            // Its pages are the same bytes until somebody writes.
            if isNew, !truncated, node.pagesOf == node.contentVersion {
                changed.pagesOf = changed.contentVersion
            }
            let old = changed.cached
            changed.cached = nil
            tree.nodes[id] = changed
            return (old, changed.backed)
        }
        old?.release()
        if isNew, truncated, backed != nil, let finished {
            try await disk.run { () throws(FileSystemError) in try finished.truncate(to: 0) }
        }
        if truncated { noteChange(of: id, handle: nil) }
    }

    func newWorkingCopy(
        of inode: InodeNumber, base: CachedContent?
    ) async throws(FileSystemError) -> WorkingCopy {
        try await disk.run { () throws(FileSystemError) in
            try self.makeWorkingCopy(of: inode, base: base)
        }
    }

    /// As `newWorkingCopy`, on the caller's thread, which waits for the disk.
    func makeWorkingCopy(
        of inode: InodeNumber, base: CachedContent?
    ) throws(FileSystemError) -> WorkingCopy {
        let serial = nextSerial()
        let stamp = SystemClocks.now().nanosecondsSince1970
        let path = "\(store.contentFolder)/\(inode)-\(stamp)-\(serial)"
        return try WorkingCopy(serial: serial, path: path, base: base)
    }

    /// Makes the handle. Takes over `content`, which readers of the node share, and `offer`; nil where
    /// the node has no content to read.
    private func finishOpening(
        _ id: UInt64, options: OpenOptions, content: CachedContent?, _ offer: BackedFile? = nil,
        inPlace: InPlaceFile? = nil
    ) throws(FileSystemError) -> OpenedFile? {
        var unused = content
        var offer = offer
        var inPlace = inPlace
        let mayBeBackedNext = backingFiles != nil && !options.contains(.write)
        defer {
            offer?.end()
            inPlace?.end()
            unused?.release()
        }
        return try tree.withLock { tree throws(FileSystemError) -> OpenedFile? in
            guard tree.handles.count + tree.directoryHandles.count < self.options.handleLimit else {
                throw FileSystemError(.tooManyOpen, "too many open files on the mount")
            }
            guard var node = tree.nodes[id] else {
                throw FileSystemError(.stale, "the file is gone")
            }
            if node.cached == nil, node.working == nil, content == nil, node.notice == nil {
                return nil
            }
            if node.cached == nil, node.working == nil {
                node.cached = content
                unused = nil
                node.take(&offer)
            }
            node.take(&inPlace)
            node.openHandles += 1
            if options.contains(.write) { node.writeHandles += 1 }
            let backing = node.back(options)
            let version = node.contentVersion
            let keepsCache = node.pagesOf == version && backing == nil
            if keepsCache { node.hasReusedPages = true }
            // What the kernel does by itself it does not do in its pages of the node.
            node.pagesOf = backing == nil ? version : nil
            tree.nodes[id] = node
            let handle = tree.nextHandle
            tree.nextHandle += 1
            var open = FileHandle(node: id, options: options)
            open.isInPlace = backing != nil && node.inPlace != nil
            open.isBacked = backing != nil && !open.isInPlace
            if mayBeBackedNext, !keepsCache, node.mayPassPages { open.dropBehind = DropBehind() }
            tree.handles[handle] = open
            return OpenedFile(
                handle: handle, keepsCache: keepsCache, needsFlush: options.contains(.write),
                backing: backing)
        }
    }
}
