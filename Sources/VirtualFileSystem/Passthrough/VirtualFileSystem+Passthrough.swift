import BlockCache
import CloudStorage
import FileSystemTypes
import Logging
import StateStore
import Synchronization

/// Complete files that the kernel reads by itself, at the speed of the local disk (DESIGN section 10).
///
/// The first program that opens a node decides: for reading, and the content is here, then all others
/// get the same file as long as anybody has it open. Those who write send their writes to the driver,
/// which makes them in both files; their mappings are of the file that readers see, and what they store
/// there is found when they close or sync, and for as long as anybody maps the file.
extension VirtualFileSystem {
    /// Offers a content to the kernel; nil where the driver is to serve it, as it does small files: their
    /// pages cost less than the handing over.
    func offerToKernel(_ content: CachedContent) -> BackedFile? {
        guard let files = backingFiles, content.size >= options.smallestBacked,
            content.canBeHandedOut
        else { return nil }
        do throws(FileSystemError) {
            try content.becomeReadOnly()
        } catch {
            logger.warning("a file can't be handed out", metadata: ["error": "\(error)"])
            return nil
        }
        let cache = cache
        let key = content.key
        return BackedFile(content, to: files) { cache.discard(key) }
    }

    /// Smaller files are copied out of the kernel's pages in the time that waiting takes.
    private static let smallestWorthWaiting: Int64 = 32 << 20
    /// Milliseconds: as long as a server near by takes to answer.
    private static let longestWait = 4

    /// Whether a big file could be the kernel's as soon as the server has said that it still has what was
    /// just fetched.
    func isAboutToBeBacked(_ id: UInt64) -> Bool {
        guard backingFiles != nil else { return false }
        let key = tree.withLock { tree -> ContentKey? in
            guard let node = tree.nodes[id], node.kind == .file, node.openHandles == 0,
                node.working == nil, !node.hasPages, let server = node.server,
                server.size >= max(options.smallestBacked, Self.smallestWorthWaiting)
            else { return nil }
            return server.contentKey
        }
        return key.map { cache.awaitsConfirmation(of: $0) } ?? false
    }

    /// Waits for that, for a moment at most.
    func awaitConfirmation(of id: UInt64) async {
        for _ in 0..<Self.longestWait where isAboutToBeBacked(id) {
            do { try await Task.sleep(for: .milliseconds(1)) } catch { return }
        }
    }

    /// Notes what the only program that has a file open reads of it.
    func dropBehind(_ handle: UInt64, _ range: ByteRange) {
        let passed = tree.withLock { tree -> (node: UInt64, range: ByteRange)? in
            guard let node = tree.handles[handle]?.node,
                let range = tree.handles[handle]?.dropBehind?.read(range)
            else { return nil }
            return (node, range)
        }
        if let passed { notifier?.dropPages(passed.range, ofNode: passed.node) }
    }

    /// Brings what programs stored through mappings by a handle to the working copy.
    func takeMapped(by handle: UInt64) async throws(FileSystemError) {
        let found = tree.withLock { tree -> (UInt64, WorkingCopy, BackedFile)? in
            guard let open = tree.handles[handle], open.isMappable,
                let node = tree.nodes[open.node], let working = node.working,
                let backed = node.backed
            else { return nil }
            return (open.node, working, backed)
        }
        guard let (id, working, backed) = found else { return }
        guard try await disk.run({ () throws(FileSystemError) in try backed.takeSuspicion() })
        else {
            return
        }
        let hasChanged: Bool
        do throws(FileSystemError) {
            hasChanged = try await takeStores(of: backed, to: working)
        } catch {
            backed.suspectAgain()
            throw error
        }
        if hasChanged { noteChange(of: id, handle: handle) }
    }

    private func takeStores(
        of backed: BackedFile, to working: WorkingCopy
    ) async throws(FileSystemError) -> Bool {
        let isFilling = !working.isComplete
        if isFilling {
            // What is filled in has what was stored: no difference shows it.
            try await disk.run { () throws(FileSystemError) in try working.change { _ in } }
            try await working.fill(ByteRange(0, working.size), on: disk)
        }
        return try await disk.run { () throws(FileSystemError) in
            try working.takeOver(from: backed) || isFilling
        }
    }

    /// Whether changes that the driver has not seen may have to be looked for.
    func mayStore(_ handle: UInt64) -> Bool {
        tree.withLock { tree in
            guard let open = tree.handles[handle] else { return false }
            return open.isMappable || open.isInPlace && open.options.contains(.write)
        }
    }

    /// Notes, or brings to the working copy, what programs changed by a handle without the driver.
    func takeStores(by handle: UInt64) async throws(FileSystemError) {
        if let id = tree.withLock({ $0.handles[handle]?.node }) { try await noteInPlace(id) }
        try await takeMapped(by: handle)
    }

    /// Keeps a closed handle until nobody maps the file by it any more.
    func releaseWhenUnmapped(_ handle: UInt64) {
        mappedHandles.run {
            var pause = 0.001
            while true {
                do {
                    try await Task.sleep(for: .seconds(pause))
                } catch {
                    return
                }
                pause = min(1, pause * 2)
                var isKept = await self.keepMapped(by: handle)
                let isMapped = self.tree.withLock { tree in
                    tree.handles[handle].map { tree.nodes[$0.node]?.isStillMapped(by: $0) ?? false }
                }
                guard let isMapped else { return }
                // A store right before the end of the mapping.
                if isKept, !isMapped { isKept = await self.keepMapped(by: handle) }
                // As long as the disk is full, say, only this file has what was stored.
                if isKept, !isMapped { break }
            }
            await self.endHandle(handle)
        }
    }

    /// Returns whether the state table speaks of all that was stored.
    @discardableResult
    private func keepMapped(by handle: UInt64) async -> Bool {
        forgetPages(changedBy: handle)
        do throws(FileSystemError) {
            try await takeStores(by: handle)
            try await flushWritten(handle, waits: false).value()
            return true
        } catch {
            logger.error(
                "what a program changed in a mapped file is not saved yet",
                metadata: ["error": "\(error)"])
            return false
        }
    }

    private func endHandle(_ handle: UInt64) async {
        do throws(FileSystemError) {
            try await releaseNow(handle, unlessMapped: false).value()
        } catch {
            logger.error("a file can't be closed", metadata: ["error": "\(error)"])
        }
    }

    /// The end of the mount: what is mapped still, by programs that a lazy unmount left, is kept as it is.
    func endMappings() async {
        await mappedHandles.end()
        let handles = tree.withLock { tree in
            tree.handles.filter { $0.value.mayStore || $0.value.isClosed }.map(\.key)
        }
        for handle in handles { await keepMapped(by: handle) }
    }

    /// Looks at once for what was stored to files that programs have closed and still map, or did just now.
    func keepMappings() async {
        let handles = tree.withLock { $0.handles.filter(\.value.isClosed).map(\.key) }
        for handle in handles { await keepMapped(by: handle) }
    }
}
