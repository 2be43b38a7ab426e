import CloudStorage
import FileSystemTypes
import Logging
import Reconciler
import Synchronization

/// Complete local files that the kernel reads and writes by itself, at the speed of the local disk
/// (DESIGN section 10): for programs that open them for reading and writing, as those do that work on
/// files in place. Who only writes sends its writes to the driver: streams cost little more so, and a
/// copy of a whole file can be the server's.
///
/// The first program that opens a node so decides; as long as anybody has it open then, all others get
/// the same file. What was changed is found at each close and fsync, and where somebody asks for the
/// file's attributes; what is sent meanwhile is a copy that nobody changed while it was made.
extension VirtualFileSystem {
    /// Bytes. Larger contents that would have to be copied for it are changed by way of the driver.
    private static let largestCopy: Int64 = 16 << 20

    /// Hands the working copy of a file to the kernel, for a program that is about to open it; nil where the
    /// driver is to serve it. May wait for the disk.
    func offerInPlace(_ id: UInt64, options: OpenOptions) -> InPlaceFile? {
        guard let files = backingFiles, let working = workingCopyInPlace(id, options) else {
            return nil
        }
        do throws(FileSystemError) {
            return try working.handOver(to: files, copying: Self.largestCopy)
        } catch {
            logger.warning("a file is not handed to the kernel", metadata: ["error": "\(error)"])
            return nil
        }
    }

    private func workingCopyInPlace(_ id: UInt64, _ options: OpenOptions) -> WorkingCopy? {
        // What is written past the page cache may come to the file long after it got its time.
        guard options.isSuperset(of: [.read, .write]), !options.contains(.direct) else {
            return nil
        }
        return tree.withLock { tree in
            guard let node = tree.nodes[id], node.kind == .file, node.openHandles == 0,
                node.backed == nil, node.inPlace == nil
            else { return nil }
            return node.working
        }
    }

    /// The same, for a working copy whose content may still be in the cache alone.
    func offerInPlaceFilled(
        _ id: UInt64, options: OpenOptions
    ) async throws(FileSystemError) -> InPlaceFile? {
        guard backingFiles != nil, let working = workingCopyInPlace(id, options) else { return nil }
        if !working.isComplete {
            guard working.isBaseHere, working.size <= Self.largestCopy else { return nil }
            do throws(FileSystemError) {
                try await working.fill(ByteRange(0, working.size), on: disk)
            } catch {
                logger.info("a file is not handed to the kernel", metadata: ["error": "\(error)"])
                return nil
            }
        }
        return try await disk.run { () throws(FileSystemError) in
            self.offerInPlace(id, options: options)
        }
    }

    /// Waits for what the kernel says right after a close, for a moment at most: until then the file would be
    /// changed in place, although its content is confirmed.
    func awaitLeavingPlace(of id: UInt64) async {
        for _ in 0..<20 {
            guard tree.withLock({ $0.nodes[id]?.isLeavingPlace ?? false }) else { return }
            do { try await Task.sleep(for: .milliseconds(1)) } catch { return }
        }
    }

    /// Takes up a content that a program has had open since before the driver was killed, and goes on
    /// changing: as long as it does, it counts as open for writing.
    func followLeftBehind(_ working: WorkingCopy, of id: UInt64) async throws(FileSystemError) {
        let file = try await disk.run { () throws(FileSystemError) in
            try working.followLeftBehind()
        }
        guard let file else { return }
        let handle = tree.withLock { tree -> UInt64 in
            let handle = tree.nextHandle
            tree.nextHandle += 1
            tree.nodes[id]?.inPlace = file
            tree.nodes[id]?.inPlaceHandles += 1
            tree.nodes[id]?.openHandles += 1
            tree.nodes[id]?.writeHandles += 1
            var open = FileHandle(node: id, options: [.read, .write])
            open.isInPlace = true
            open.isClosed = true
            tree.handles[handle] = open
            tree.compare(id)
            return handle
        }
        logger.notice(
            "a program has had a file open since the driver was killed: it is followed until that is over",
            metadata: ["node": "\(id)"])
        releaseWhenUnmapped(handle)
    }

    /// Has the kernel forget its pages of a file that was changed by such a program.
    func forgetPages(changedBy handle: UInt64) {
        let node = tree.withLock { tree -> UInt64? in
            guard let open = tree.handles[handle], let node = tree.nodes[open.node],
                let file = node.inPlace, file.number == nil, node.working?.unnotedTime != nil
            else { return nil }
            return open.node
        }
        if let node { notifier?.invalidateContent(ofNode: node) }
    }

    /// Why the server would not take a content that is changed without the driver, which can't refuse the
    /// writes.
    func refusalInPlace(of id: UInt64) -> FileSystemError? {
        let found = tree.withLock { tree in
            tree.nodes[id].flatMap { $0.inPlace == nil ? nil : $0.working }
        }
        guard let working = found else { return nil }
        do throws(FileSystemError) {
            try checkGrowth(of: id, to: working.size)
            return nil
        } catch {
            return error
        }
    }

    /// The content of a file for an upload; nil where it is being changed.
    func freeze(
        _ working: WorkingCopy, of id: UInt64
    ) async throws(JobFailure) -> FrozenContent? {
        let isOpen = tree.withLock { ($0.nodes[id]?.writeHandles ?? 0) > 0 }
        let frozen = try await asLocalJob { () async throws(FileSystemError) in
            try await self.disk.run { () throws(FileSystemError) in
                if !isOpen { self.noteChangeInPlace(of: id) }
                return try working.freezeOrCopy(confirmed: isOpen)
            }
        }
        if frozen != nil { return frozen }
        // The next close or fsync has it sent.
        if isOpen {
            return tree.withLock { tree in
                // Meanwhile a close may have confirmed what it is now.
                if !working.isConfirmed { tree.nodes[id]?.isFlushed = false }
                return nil
            }
        }
        throw JobFailure(
            FileSystemError(.locked, "a program changes the file"), .retry(after: 1))
    }
}

extension VirtualFileSystem {
    /// Whether programs change a file without the driver.
    func isInPlace(_ id: UInt64) -> Bool { tree.withLock { $0.nodes[id]?.inPlace != nil } }

    /// Notes what programs have changed of a file without the driver. Waits for a write that is under way.
    func noteChangeInPlace(of id: UInt64) {
        guard let working = tree.withLock({ $0.nodes[id]?.working }),
            let time = working.takeChangesInPlace()
        else { return }
        tree.withLock { $0.nodes[id]?.noteChange(at: time) }
    }

    /// The same, on a thread that may wait.
    func noteInPlace(_ id: UInt64) async throws(FileSystemError) {
        guard isInPlace(id) else { return }
        try await disk.runShort { () throws(FileSystemError) in self.noteChangeInPlace(of: id) }
    }
}

extension Tree {
    /// Notes the last change of a file that nobody has open any more.
    mutating func noteEndInPlace(of id: UInt64) {
        guard let time = nodes[id]?.working?.takeChangesInPlace() else { return }
        nodes[id]?.noteChange(at: time)
    }
}
