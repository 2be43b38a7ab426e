import CloudStorage
import FileSystemTypes
import Reconciler
import StateStore
import Synchronization

/// Keeping the number of nodes in memory within its bound (DESIGN section 4).
extension VirtualFileSystem {
    /// Seconds for which a folder stays after its last use. What was said of its entries by then has
    /// long been handed to the state table.
    private static let shortestStay = 0.5
    /// So many entries the kernel is asked to forget at a time.
    private static let mostAsked = 4_096
    /// Seconds that the kernel is given for that; what it keeps is in use.
    private static let secondsToForget = 0.5
    private static let blocksAtOnce = 32

    /// Unloads folders in the background, if there are more nodes than there should be.
    ///
    /// - Parameter isDue: also where the last try could not make enough, since so much is in use.
    func makeRoomIfCrowded(isDue: Bool = false) {
        guard options.synchronizesInBackground, isCrowded(by: 1) else { return }
        let count = tree.withLock { $0.nodes.count }
        unloading.withLock { work in
            guard work.task == nil, !work.isOver, isDue || count >= work.nextCount else { return }
            work.task = Task { [weak self] in
                await self?.makeRoom()
                self?.unloading.withLock { $0.task = nil }
            }
        }
    }

    /// Waits while far too many nodes are in memory, for what may make room.
    func waitForRoom() async {
        guard isCrowded(by: 1.25) else { return }
        makeRoomIfCrowded()
        await unloading.withLock { $0.task }?.value
    }

    private func isCrowded(by factor: Double) -> Bool {
        Double(tree.withLock { $0.nodes.count }) > factor * Double(options.nodeLimit)
    }

    /// Unloads what was not used lately until there is room, or nothing more can go.
    package func makeRoom() async {
        let target = options.nodeLimit * 3 / 4
        await unload(downTo: target, unusedFor: Self.shortestStay)
        if isCrowded(by: 1), await !disk.look({ self.options.hasMountsBelow() }) {
            await unload(downTo: target, unusedFor: Self.shortestStay, asksForFolders: true)
        }
        let left = tree.withLock { $0.nodes.count }
        unloading.withLock { work in
            work.nextCount = left > target ? left + options.nodeLimit / 8 : 0
        }
        options.returnsMemory()
    }

    /// Unloads the folders that were not used for longest, until no more than so many nodes are in
    /// memory or nothing more can go.
    package func unload(
        downTo target: Int, unusedFor seconds: Double, asksForFolders: Bool = false
    ) async {
        guard store.failure == nil, !store.isBehind else { return }
        let usedBefore = SystemClocks.monotonicSeconds() - seconds
        let folders = unloadCandidates()
        let excess = tree.withLock { $0.nodes.count } - target
        var rules = Tree.UnloadRules(usedBefore: usedBefore, asksForFolders: asksForFolders)
        var asked: [UInt64] = []
        for folder in UnloadChoice.choose(from: folders, excess: excess, usedBefore: usedBefore) {
            if Task.isCancelled { return }
            describeWork(in: &rules)
            guard let names = unload(folder, rules) else { continue }
            asked.append(folder)
            await askToForget(names, in: folder)
            if tree.withLock({ $0.leaving.count }) >= Self.mostAsked {
                await unloadForgotten(&asked, &rules)
            }
        }
        await unloadForgotten(&asked, &rules)
    }

    private func unloadCandidates() -> [UnloadChoice.Folder] {
        var found: [UnloadChoice.Folder] = []
        var next = 0
        while true {
            let (more, isLast) = tree.withLock { tree in
                let end = min(next + Self.blocksAtOnce, tree.nodes.blockCount)
                return (
                    (next..<max(next, end)).flatMap { tree.unloadCandidates(inBlock: $0) },
                    end == tree.nodes.blockCount
                )
            }
            found += more
            next += Self.blocksAtOnce
            if isLast { return found }
        }
    }

    /// What was begun since the last look counts too: what came about here has touched its folder.
    private func describeWork(in rules: inout Tree.UnloadRules) {
        rules.busyFolders = listings.keys.union(loads.keys)
        guard rules.pinnedFolders.isEmpty else { return }
        let halfDone = itemsHalfDone()
        rules.pinnedFolders = tree.withLock { $0.foldersOfWork(halfDone) }
        rules.pinnedFolders.insert(Tree.rootID)
        rules.pinnedInodes = Set(sentContents.withLock { Array($0.keys) })
            .union(contentBases.withLock { Array($0.keys) })
            .union(timeIntents.withLock { Array($0.keys) })
    }

    /// Items, and their folders, of changes of the server that could not be ended yet.
    private func itemsHalfDone() -> Set<ItemKey> {
        var items = identities?.itemsOnTheirWay ?? []
        for undertaking in unfinished.withLock({ Array($0.values) }) {
            let goals = undertaking.convergence.goals
            let places = goals.compactMap(\.place) + undertaking.origins.compactMap(\.self)
            items.formUnion(goals.map { ItemKey($0.item) })
            items.formUnion(places.map { ItemKey(ItemReference($0.folder)) })
            let others = [undertaking.heir, undertaking.replaced, undertaking.uploadFolder]
            items.formUnion(others.compactMap { $0.map { ItemKey($0) } })
        }
        return items
    }

    /// Unloads one folder. Returns what the kernel has to forget before that; nil where nothing is
    /// left to be done.
    private func unload(
        _ folder: UInt64, _ rules: Tree.UnloadRules
    ) -> [(node: UInt64, name: String)]? {
        let step = tree.withLock { tree in
            // Whoever begins to list it from now on finds it as it is after this.
            guard !listings.isUnderWay(folder), !loads.isUnderWay(folder) else {
                return Tree.Unloading.refused
            }
            return tree.unload(folder, rules)
        }
        switch step {
        case .refused: return nil
        case .asks(let names): return names
        case .begun(let free):
            var next = free.startIndex
            while next < free.endIndex {
                let end = min(next + Self.sliceSize, free.endIndex)
                let changes = tree.withLock { drop(free[next..<end], from: folder, in: &$0) }
                guard let changes else { return nil }
                if !changes.isEmpty { store.enqueue(changes) }
                next = end
            }
            return nil
        }
    }

    private func drop(
        _ ids: ArraySlice<UInt64>, from folder: UInt64, in tree: inout Tree
    ) -> [StateChange]? {
        var files: [ItemKey] = []
        guard let changes = tree.drop(ids, from: folder, &files) else { return nil }
        if let identities, let reference = tree.nodes[folder]?.server?.reference {
            identities.unload(files, of: ItemKey(reference))
        }
        return changes
    }

    private func askToForget(
        _ names: [(node: UInt64, name: String)], in folder: UInt64
    ) async {
        guard let notifier else { return }
        var next = names.startIndex
        while next < names.endIndex {
            let end = min(next + Self.mostAsked, names.endIndex)
            tree.withLock { $0.leaving.formUnion(names[next..<end].map(\.node)) }
            for (_, name) in names[next..<end] {
                notifier.invalidateEntry(parent: folder, name: name)
            }
            next = end
            if next < names.endIndex { await kernelHasForgotten() }
        }
    }

    /// Unloads the folders whose entries the kernel was asked to forget, once it has or has had the
    /// time to.
    private func unloadForgotten(
        _ folders: inout [UInt64], _ rules: inout Tree.UnloadRules
    ) async {
        guard !folders.isEmpty else { return }
        await kernelHasForgotten()
        for folder in folders {
            describeWork(in: &rules)
            _ = unload(folder, rules)
        }
        folders = []
    }

    private func kernelHasForgotten() async {
        let latch = Latch<Void>()
        unloading.withLock { $0.forgotten = latch }
        if tree.withLock({ $0.leaving.isEmpty }) { latch.set(()) }
        let timer = Task {
            // Cancelled when all is forgotten.
            do { try await Task.sleep(for: .seconds(Self.secondsToForget)) } catch { return }
            latch.set(())
        }
        await latch.value()
        timer.cancel()
        tree.withLock { $0.leaving = [] }
    }

    /// The kernel has forgotten the last of what it was asked to.
    func allIsForgotten() { unloading.withLock { $0.forgotten.take() }?.set(()) }

    /// Ends unloading in the background, for good.
    func endUnloading() async {
        let task = unloading.withLock { work in
            work.isOver = true
            return work.task
        }
        task?.cancel()
        await task?.value
    }
}

/// What is under way to keep memory within its bound.
struct UnloadWork: Sendable {
    var task: Task<Void, Never>?
    var isOver = false
    /// With so many nodes it is worth while to try again.
    var nextCount = 0
    /// Set when the kernel has forgotten what it was asked to.
    var forgotten: Latch<Void>?
}
