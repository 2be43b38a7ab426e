import BlockCache
import CloudStorage
import FileSystemTypes
import StateStore
import Synchronization

/// A content that is another file's, as long as neither has changed since.
final class CopiedContent: Sendable {
    let source: ItemKey
    let revision: String
    let size: Int64
    /// The working copy it was copied to, and its generation then.
    let serial: UInt64
    let generation: UInt64

    init(_ plan: CopyPlan, in working: WorkingCopy, generation: UInt64) {
        source = plan.key
        revision = plan.revision
        size = plan.size
        serial = working.serial
        self.generation = generation
    }

    func isContent(of working: WorkingCopy?) -> Bool {
        working?.serial == serial && working?.generation == generation
    }
}

/// A call of `copy_file_range`, by handles.
struct CopyRequest: Sendable {
    /// The kernel asks for no more at a time (`UINT_MAX` in whole pages).
    static let largest: Int64 = 0xFFFF_F000

    var source: UInt64
    var offset: Int64
    var target: UInt64
    var targetOffset: Int64
    var count: Int64
}

/// A copy of a whole file that the server could make.
struct CopyPlan: Sendable {
    var source: UInt64
    var key: ItemKey
    var revision: String
    var size: Int64
    /// Whether all of it is on this machine.
    var isHere: Bool
    var target: UInt64
    var folder: UInt64
    /// The target's, empty.
    var working: WorkingCopy
    var generation: UInt64
}

/// Copying within the mount.
extension VirtualFileSystem {
    /// Smaller files that are on this machine are uploaded: the copy would cost as many calls.
    private static let smallestCached: Int64 = 1 << 20
    /// Smaller ones are faster downloaded than copied.
    private static let smallestUncached: Int64 = 64 << 10

    /// copy_file_range(2).
    ///
    /// A whole file that is here is copied here, and the server is asked for a copy in place of the
    /// upload. One that isn't is copied by the server before this answers; where that can't be done,
    /// and for parts of files, the bytes are read and written.
    package func copyFileRange(
        from: UInt64, at offset: Int64, to: UInt64, at target: Int64, count: Int64
    ) -> Outcome<Int64> {
        let request = CopyRequest(
            source: from, offset: offset, target: to, targetOffset: target, count: count)
        if let count = countCopied(request) { return .success(count) }
        return pending { () throws(FileSystemError) in
            guard let plan = self.copyPlan(for: request) else {
                return try await self.copyBytes(request)
            }
            try self.checkGrowth(of: plan.target, to: plan.size)
            if plan.isHere {
                try await self.copyHere(plan, request)
            } else if try await !self.copyOnServer(plan, request) {
                return try await self.copyBytes(request)
            }
            return min(count, plan.size)
        }
    }

    /// How much of a range is a copy already; nil where it has to be made. Of more than the kernel
    /// asks for at a time the first call makes all.
    private func countCopied(_ request: CopyRequest) -> Int64? {
        guard request.offset == request.targetOffset else { return nil }
        return tree.withLock { tree in
            guard let target = node(of: request.target, in: tree), let copied = target.copied,
                copied.isContent(of: target.working), request.offset < copied.size,
                let source = node(of: request.source, in: tree), source.working == nil,
                let server = source.server, server.revision == copied.revision,
                ItemKey(server.reference) == copied.source
            else { return nil }
            return min(request.count, copied.size - request.offset)
        }
    }

    private func node(of handle: UInt64, in tree: borrowing Tree) -> Node? {
        tree.handles[handle].flatMap { tree.nodes[$0.node] }
    }

    /// What the server could do for a request: the source as a whole, unchanged here, to a file that
    /// is new and empty, and that nobody else writes. Nil for anything else.
    func copyPlan(for request: CopyRequest) -> CopyPlan? {
        guard cloud.capabilities.copiesOnServer, request.offset == 0, request.targetOffset == 0
        else { return nil }
        return tree.withLock { tree in
            guard let source = node(of: request.source, in: tree), source.kind == .file,
                source.working == nil, source.parent != nil, let server = source.server,
                let revision = server.revision,
                request.count >= min(server.size, CopyRequest.largest),
                let open = tree.handles[request.target], open.options.contains(.write),
                !open.options.contains(.append), let target = tree.nodes[open.node],
                target.kind == .file, let folder = target.parent, target.server == nil,
                !target.isLocalOnly, !target.isRetiring, target.writeHandles == 1,
                target.inPlace == nil,
                let working = target.working, working.size == 0,
                tree.root(of: folder) == server.reference.root
            else { return nil }
            let isHere = source.cached?.isComplete ?? false
            guard server.size >= (isHere ? Self.smallestCached : Self.smallestUncached) else {
                return nil
            }
            return CopyPlan(
                source: source.id, key: ItemKey(server.reference), revision: revision,
                size: server.size, isHere: isHere, target: target.id, folder: folder,
                working: working, generation: working.generation)
        }
    }

    /// Reads and writes a part of the range.
    private func copyBytes(_ request: CopyRequest) async throws(FileSystemError) -> Int64 {
        let piece = Int(min(request.count, 8 << 20))
        let buffer = try await read(handle: request.source, offset: request.offset, count: piece)
            .get()
        guard buffer.count > 0 else { return 0 }
        return try await disk.run { () throws(FileSystemError) in
            let bytes = UnsafeRawBufferPointer(rebasing: buffer.bytes[..<buffer.count])
            guard
                case .ready(let result) = self.write(
                    handle: request.target, offset: request.targetOffset, bytes: bytes)
            else { throw FileSystemError(.inputOutput, "write did not answer") }
            return Int64(try result.get())
        }
    }

    /// Copies a whole file on this machine, and notes whose content it is.
    private func copyHere(_ plan: CopyPlan, _ request: CopyRequest) async throws(FileSystemError) {
        var done: Int64 = 0
        var writes: UInt64 = 0
        while done < plan.size {
            var piece = request
            (piece.offset, piece.targetOffset, piece.count) = (done, done, plan.size - done)
            let count = try await copyBytes(piece)
            guard count > 0 else { throw FileSystemError(.stale, "the file became shorter") }
            done += count
            writes += 1
        }
        let generation = plan.generation + writes
        tree.withLock { tree in
            let copied = CopiedContent(plan, in: plan.working, generation: generation)
            guard copied.isContent(of: tree.nodes[plan.target]?.working),
                plan.working.size == plan.size, let source = tree.nodes[plan.source],
                source.working == nil, source.server?.revision == plan.revision
            else { return }
            tree.nodes[plan.target]?.copied = copied
        }
    }
}
