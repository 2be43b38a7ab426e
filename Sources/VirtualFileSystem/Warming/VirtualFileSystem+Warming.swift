import BlockCache
import CloudStorage
package import FileSystemTypes
import StateStore
import Synchronization

/// `ordner warm`: fetching ahead whatever is below some paths, for as long as somebody asks for it.
extension VirtualFileSystem {
    /// Runs at one time, those among them that are over and were not asked for since.
    private static let warmingLimit = 16
    /// Seconds in which a folder has to be listed.
    private static let longestListing: Double = 300
    private static let parallelListings = 8
    /// How often a file is begun anew that other clients keep changing.
    private static let attempts = 4

    /// Begins to fetch everything below paths, as of the mount's top; none: below the top. Returns what to
    /// ask `warming` for. `tooManyOpen` where too many such runs are under way.
    /// - Parameter leaseSeconds: the run ends where nobody asks for so long.
    package func beginWarming(
        below paths: [[String]], leaseSeconds: Double = 15
    ) throws(FileSystemError) -> UInt64 {
        let hold = cache.beginHold()
        let run = WarmRun(
            paths: WarmPaths.outermost(paths), hold: hold, fileLimit: cache.entryLimit,
            leaseSeconds: leaseSeconds)
        let isTaken = warmings.withLock { warmings in
            if warmings.count >= Self.warmingLimit {
                warmings = warmings.filter { !$0.value.state.withLock { $0.progress.isOver } }
            }
            guard warmings.count < Self.warmingLimit else { return false }
            warmings[hold] = run
            return true
        }
        guard isTaken else {
            cache.endHold(hold)
            throw FileSystemError(.tooManyOpen, "too many runs of ordner warm at one time")
        }
        aheadTasks.run {
            await run.carryOut {
                await self.carryOut(run)
                self.cache.endHold(hold)
            }
        }
        return hold
    }

    /// How far a run is, when it is over or after so many seconds; nil where there is none. One that has
    /// said that it is over is forgotten.
    package func warming(_ id: UInt64, within seconds: Double) async -> WarmProgress? {
        guard let run = warmings.withLock({ $0[id] }) else { return nil }
        let progress = await run.progress(within: seconds)
        if progress.isOver { warmings.withLock { $0[id] = nil } }
        return progress
    }

    /// Forgets a run, and ends it where it is not over: nothing more is fetched for it.
    package func endWarming(_ id: UInt64) async -> WarmProgress? {
        guard let run = warmings.withLock({ $0.removeValue(forKey: id) }) else { return nil }
        run.cancel()
        return await run.progress(within: 5)
    }

    private func carryOut(_ run: WarmRun) async {
        await listAll(run)
        guard !Task.isCancelled else { return }
        let free = await freeBytes()
        run.state.withLock { $0.endListing(room: cache.room(free: free)) }
        await withTaskGroup { group in
            for _ in 0..<WarmQueue.parallelFiles {
                group.addTask { await self.fetchFiles(run) }
            }
        }
    }

    private func freeBytes() async -> Int64? { await disk.look { self.cache.freeBytes() } }

    // MARK: Listing

    private func listAll(_ run: WarmRun) async {
        var open: [[String]] = []
        for path in run.paths where !Task.isCancelled {
            do throws(FileSystemError) {
                if take(try await find(path), path, run) { open.append(path) }
            } catch {
                run.state.withLock { $0.fail(path, error) }
            }
        }
        await withTaskGroup { group in
            var underWay = 0
            while true {
                while underWay < Self.parallelListings, !Task.isCancelled,
                    let folder = open.popLast()
                {
                    underWay += 1
                    group.addTask { await self.entries(of: folder, run) }
                }
                guard let found = await group.next() else { return }
                underWay -= 1
                open += found
            }
        }
    }

    /// The node at a path, whose folders are listed where they are not known.
    private func find(_ path: [String]) async throws(FileSystemError) -> UInt64 {
        var current = Tree.rootID
        for name in path {
            let folder = current
            if let child = tree.withLock({ $0.child(of: folder, named: name)?.id }) {
                current = child
                continue
            }
            _ = try tree.withLock { tree throws(FileSystemError) in try tree.folder(folder) }
            try await ensureListedInTime(folder)
            guard let child = tree.withLock({ $0.child(of: folder, named: name)?.id }) else {
                throw FileSystemError(.notFound, "no such file or folder")
            }
            current = child
        }
        return current
    }

    private func ensureListedInTime(_ folder: UInt64) async throws(FileSystemError) {
        guard let node = tree.withLock({ $0.nodes[folder] }) else { return }
        guard listingState(of: node) == .unknown else {
            // Every folder would wait for an answer that doesn't come.
            if !isServerSilent { try await ensureCurrent(folder) }
            return
        }
        let isInTime = try await listings.run(folder, forSeconds: Self.longestListing) {
            () throws(FileSystemError) in try await self.list(folder)
        }
        guard isInTime else {
            throw FileSystemError(.timedOut, "the server did not list the folder in time")
        }
    }

    /// Lists a folder, takes its files, and returns the folders in it.
    private func entries(of folder: [String], _ run: WarmRun) async -> [[String]] {
        do throws(FileSystemError) {
            // What was not used lately may leave memory in between.
            for _ in 0..<3 {
                let id = try await find(folder)
                try await ensureListedInTime(id)
                let children = tree.withLock { tree in
                    tree.nodes[id]?.children?.map { (name: $0.key.name, node: $0.value) }
                }
                guard let children else { continue }
                run.state.withLock { $0.foundFolder() }
                return children.map { (node: $0.node, path: folder + [$0.name]) }
                    .filter { take($0.node, $0.path, run) }.map(\.path)
            }
            throw FileSystemError(.inputOutput, "too much is going on to list the folder")
        } catch {
            if !Task.isCancelled { run.state.withLock { $0.fail(folder, error) } }
            return []
        }
    }

    /// Counts a file; returns whether it is a folder instead.
    private func take(_ node: UInt64, _ path: [String], _ run: WarmRun) -> Bool {
        switch tree.withLock({ $0.warmItem(node) }) {
        case .folder: return true
        case .nothing: break
        case .here(let size): run.state.withLock { $0.found(here: size) }
        case .link(let size):
            let file = WarmFile(node: node, path: path, size: size, missing: size, isLink: true)
            run.state.withLock { $0.found(file) }
        case .content(let server, _):
            let stored = cache.holdIfWhole(server.contentKey, size: server.size, for: run.hold)
            run.state.withLock { state in
                if stored.isWhole { return state.found(here: server.size) }
                state.found(
                    WarmFile(
                        node: node, path: path, size: server.size, missing: stored.missing))
            }
        }
        return false
    }

    // MARK: Fetching

    private func fetchFiles(_ run: WarmRun) async {
        while !Task.isCancelled {
            let now = SystemClocks.monotonicSeconds()
            if run.state.withLock({ $0.needsRoom(at: now) }) {
                let free = await freeBytes()
                // At one moment with what is still to come.
                run.state.withLock { $0.note(room: cache.room(free: free), at: now) }
            }
            guard let (token, file) = run.state.withLock({ $0.next() }) else { return }
            do throws(FileSystemError) {
                guard let size = try await fetch(file, token, run) else {
                    run.state.withLock { $0.vanished(token) }
                    continue
                }
                run.state.withLock { $0.finished(token, size: size) }
            } catch {
                guard !Task.isCancelled else { return }
                run.state.withLock { $0.failed(token, error) }
            }
        }
    }

    /// Has a file here, in the version that the server has; returns its size, or nil where it is gone.
    private func fetch(
        _ file: WarmFile, _ token: UInt64, _ run: WarmRun
    ) async throws(FileSystemError) -> Int64? {
        var failure = FileSystemError(.stale, "the file keeps changing")
        for _ in 0..<Self.attempts {
            guard let node = try await findAgain(file) else { return nil }
            switch tree.withLock({ $0.warmItem(node) }) {
            case .folder, .nothing: return nil
            case .here(let size): return size
            case .link(let size):
                _ = try await target(of: node)
                return size
            case .content(let server, let reference):
                guard let error = try await fetch(server, reference, token, run) else {
                    return server.size
                }
                // Another client has changed or removed it meanwhile.
                failure = error
                if let folder = tree.withLock({ $0.nodes[node]?.parent }) {
                    try await refreshAnew(folder)
                }
            }
        }
        throw failure
    }

    private func findAgain(_ file: WarmFile) async throws(FileSystemError) -> UInt64? {
        if tree.withLock({ $0.nodes[file.node]?.parent != nil }) { return file.node }
        do throws(FileSystemError) {
            return try await find(file.path)
        } catch  where error.code == .notFound {
            return nil
        }
    }

    /// Fetches one version; returns why not, where the server says that it does not have it.
    private func fetch(
        _ server: ServerSide, _ reference: ItemReference, _ token: UInt64, _ run: WarmRun
    ) async throws(FileSystemError) -> FileSystemError? {
        let content = try await disk.run { () throws(FileSystemError) in
            try self.cachedContent(for: server, reference: reference)
        }
        run.state.withLock { $0.begin(token, content) }
        defer {
            run.state.withLock { $0.leave(token) }
            content.release()
        }
        do throws(CloudStorageError) {
            try await content.complete()
        } catch {
            let failure = FileSystemError(error)
            guard error.kind == .revisionChanged || error.kind == .notFound else { throw failure }
            return failure
        }
        cache.hold(server.contentKey, for: run.hold)
        return nil
    }
}

extension Tree {
    /// What fetching ahead has to do with a node.
    fileprivate enum WarmItem {
        case folder
        /// It stands for nothing that could be fetched.
        case nothing
        /// This machine has it all, with so many bytes: it is empty, or changed here and not sent yet.
        case here(Int64)
        case link(Int64)
        case content(ServerSide, ItemReference)
    }

    fileprivate func warmItem(_ id: UInt64) -> WarmItem {
        guard let node = nodes[id], !node.isRemoved, node.notice == nil else { return .nothing }
        if node.isFolder { return .folder }
        if let working = node.working { return .here(working.size) }
        guard let server = node.server, server.size > 0 else { return .here(0) }
        if node.kind == .symbolicLink {
            return node.symlinkTarget == nil ? .link(server.size) : .here(server.size)
        }
        return .content(server, reference(of: id) ?? server.reference)
    }
}
