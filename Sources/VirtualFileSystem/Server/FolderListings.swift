import CloudStorage
package import FileSystemTypes
import Logging
import Reconciler
import StateStore
import Synchronization

/// Listing folders: once a folder, checked by its validator, merged into the tree.
extension VirtualFileSystem {
    /// How far a folder's known listing can be trusted.
    enum ListingState {
        case unknown
        /// Known, but nobody has looked for a while.
        case stale
        case current
    }

    func listingState(of folder: Node) -> ListingState {
        guard folder.children != nil else { return .unknown }
        let age = SystemClocks.monotonicSeconds() - folder.validatedAt
        return age <= options.staleSeconds ? .current : .stale
    }

    /// Whether a folder's entries are in memory and were checked lately.
    func isCurrent(_ folder: UInt64) -> Bool {
        guard let node = tree.withLock({ $0.nodes[folder] }) else { return false }
        return listingState(of: node) == .current
    }

    /// Whether a folder's entries were ever checked, and nobody has told of a change since.
    func wasChecked(_ folder: UInt64) -> Bool {
        tree.withLock { ($0.nodes[folder]?.validatedAt ?? -.infinity) > -.infinity }
    }

    /// Waits until a folder's entries are known.
    func ensureListed(_ folder: UInt64) async throws(FileSystemError) {
        for _ in 0..<Self.attemptsToLook {
            if try await !load(folder) { try await refresh(folder) }
            if touch(folder) { return }
        }
        throw FileSystemError(.inputOutput, "too much is going on to keep the folder in memory")
    }

    /// Has a folder's entries stay in memory for what is done next. Returns whether they are there.
    @discardableResult
    private func touch(_ folder: UInt64) -> Bool {
        tree.withLock { tree in
            tree.nodes[folder]?.touchedAt = SystemClocks.monotonicSeconds()
            return !tree.isUnloaded(folder)
        }
    }

    /// Waits until a folder's entries are known and were checked lately; a server that does not
    /// answer in time, or at all, leaves the known ones in use.
    func ensureCurrent(_ folder: UInt64) async throws(FileSystemError) {
        _ = try await load(folder)
        defer { touch(folder) }
        guard let node = tree.withLock({ $0.nodes[folder] }) else { return }
        switch listingState(of: node) {
        case .current: return
        case .unknown: try await refresh(folder)
        case .stale:
            guard !areListingsSlow else { return checkLater(folder) }
            // After a kill the table may lack what had just happened.
            let isTrusted =
                node.validatedAt == -.infinity && hasOrderlyPast.load(ordering: .relaxed)
            let patience = isTrusted ? options.firstLookSeconds : options.revalidationSeconds
            do throws(FileSystemError) {
                let isInTime = try await listings.run(folder, forSeconds: patience) {
                    () throws(FileSystemError) in try await self.list(folder)
                }
                if !isInTime { listingsAreSlow() }
            } catch {
                if error.code == .notFound || error.code == .accessDenied { throw error }
                logger.debug("using the known listing", metadata: ["error": "\(error)"])
            }
        }
    }

    /// A server that was waited for in vain is not waited for by the next looks: who walks through a
    /// known tree would wait for each folder.
    private func listingsAreSlow() {
        slowUntil.withLock { $0 = options.chance.monotonicSeconds() + Self.slowSeconds }
    }

    private var areListingsSlow: Bool {
        slowUntil.withLock { $0 } > options.chance.monotonicSeconds()
    }

    /// Unless an answer comes before.
    private static let slowSeconds = 10.0
    private static let mostChecksLater = 64

    /// Has a folder checked in the background; not where many are already, it is at its next look then.
    private func checkLater(_ folder: UInt64) {
        if listings.count < Self.mostChecksLater { refreshLater(folder) }
    }

    /// Asks the server for a folder's entries, unless somebody does already.
    func refresh(_ folder: UInt64) async throws(FileSystemError) {
        try await listings.run(folder) { () throws(FileSystemError) in
            try await self.list(folder)
        }
    }

    /// As `refresh`, without waiting.
    func refreshLater(_ folder: UInt64) {
        listings.startOnly(folder) { () throws(FileSystemError) in try await self.list(folder) }
    }

    /// Makes a refresh that begins after this call, whatever is under way.
    package func refreshAnew(_ folder: UInt64) async throws(FileSystemError) {
        await listings.settle(folder)
        try await refresh(folder)
    }

    /// Asks the server for a folder's entries; one call at a time for each folder (`listings`).
    func list(_ folder: UInt64) async throws(FileSystemError) {
        let node = try tree.withLock { tree throws(FileSystemError) in try tree.folder(folder) }
        var isRestored = false
        if node.children == nil {
            // Before an answer that brings more.
            await waitForRoom()
            isRestored = try await load(folder)
        }
        do throws(CloudStorageError) {
            try await listOnServer(folder)
            slowUntil.withLock { $0 = -.infinity }
        } catch {
            try handleListingFailure(error, of: folder, isRestored: isRestored)
        }
    }

    private func handleListingFailure(
        _ error: CloudStorageError, of folder: UInt64, isRestored: Bool
    ) throws(FileSystemError) {
        switch error.kind {
        case .notFound, .rootDeleted:
            forgetVanished(folder)
            throw FileSystemError(error)
        case .unreachable, .timedOut, .temporarilyUnavailable, .signInRequired, .cancelled:
            // What an earlier run knew is better than nothing.
            if !isRestored { throw FileSystemError(error) }
        default:
            throw FileSystemError(error)
        }
    }

    private func listOnServer(_ folder: UInt64) async throws(CloudStorageError) {
        if folder == Tree.rootID, options.path.isEmpty { return try await listRoots() }
        let (reference, validator, askedAt) = tree.withLock { tree in
            (tree.reference(of: folder), tree.nodes[folder]?.validator, tree.sequence)
        }
        guard let reference else {
            throw CloudStorageError(.notFound, "the folder is not on the server")
        }
        switch try await cloud.list(reference, validator: validator) {
        case .notModified:
            tree.withLock { $0.nodes[folder]?.validatedAt = SystemClocks.monotonicSeconds() }
        case .entries(let items, let validator, let description):
            // Before the entries: whether they are locked depends on it.
            tree.withLock { tree in
                guard var server = tree.nodes[folder]?.server else { return }
                server.permissions = description.permissions
                server.isLocked = description.isLocked
                server.lockHolder = description.lockHolder
                server.lockExpires = description.lockExpires
                tree.acknowledge(folder, server)
            }
            await merge(items, validator: validator, into: folder, askedAt: askedAt)
        }
    }

    /// The top of the mount lists the account's roots; equal names are told apart by their ids.
    private func listRoots() async throws(CloudStorageError) {
        let askedAt = tree.withLock { $0.sequence }
        let account = try await cloud.account()
        tree.withLock { tree in
            tree.account = account
            tree.bytesSinceAccount = 0
        }
        remember(account)
        await merge(
            RootNames.items(of: account.roots), validator: nil, into: Tree.rootID, askedAt: askedAt)
    }

    private func merge(
        _ items: [CloudItem], validator: String?, into folder: UInt64, askedAt: UInt64
    ) async {
        var request = ListingRequest(
            folder: folder, askedAt: askedAt, allocateInode: { self.store.allocateInode() },
            storesLinks: options.symbolicLinks == .store)
        let unknown = tree.withLock { tree in
            items.map { ItemKey($0.reference) }.filter { tree.byKey[$0] == nil }
        }
        let unlisted = tree.withLock { tree in
            tree.nodes[folder]?.children == nil ? tree.nodes[folder]?.inode : nil
        }
        do throws(FileSystemError) {
            request.records = try await store.records(for: unknown)
            if let unlisted { request.oldChildren = try await store.children(of: unlisted) }
        } catch {
            logger.error("state table can't be read", metadata: ["error": "\(error)"])
        }
        request.unheard = unheardUploads()
        request.keepsPartialUploads = cloud.capabilities.keepsPartialUploads
        request.temporaryNames = identities?.temporaryNames ?? [:]
        request.hostName = options.hostName
        // Numbers of a first listing follow the names: `rsync` and `ls` go by names, `cp` by numbers.
        let items = unlisted == nil ? items : items.sorted { $0.name < $1.name }
        var merge = ListingMerge(request, items: items, validator: validator)
        var orphans: Set<NameKey> = []
        while !merge.isDone {
            merge.prepareNext()
            let effects = tree.withLock { merge.takeNext(into: &$0) }
            carryOut(effects)
            orphans.formUnion(effects.orphans)
            await waitForTable()
        }
        updateNotices(in: folder)
        lookForOrphans(named: orphans)
        makeRoomIfCrowded()
    }

    /// A big folder's rows are not to pile up in memory.
    private func waitForTable() async {
        guard store.isBehind else { return }
        do throws(FileSystemError) {
            try await store.commit([], durability: .normal)
        } catch {
            logger.error("state table can't be written", metadata: ["error": "\(error)"])
        }
    }

    /// Tells the state table and the kernel what a merge changed.
    func carryOut(_ effects: MergeEffects) {
        let changes = effects.changes + recordBases(effects.bases)
        if !changes.isEmpty { store.enqueue(changes) }
        guard let notifier else { return }
        for entry in effects.entries {
            notifier.invalidateEntry(parent: entry.parent, name: entry.name)
        }
        for node in effects.contents { notifier.invalidateContent(ofNode: node) }
        for node in effects.attributes { notifier.invalidateAttributes(ofNode: node) }
    }

    /// A folder the server no longer has loses its name here too, unless it holds unsent changes:
    /// then it is made again for them. A root that is gone can't be.
    private func forgetVanished(_ folder: UInt64) {
        guard folder != Tree.rootID else { return }
        let effects: MergeEffects = tree.withLock { tree in
            var effects = MergeEffects()
            guard let node = tree.nodes[folder], node.parent != nil, node.busy == 0 else {
                return effects
            }
            if node.server?.reference.kind == .root, tree.hasUnsettled(below: folder) {
                return effects
            }
            tree.vanish(folder, &effects)
            return effects
        }
        carryOut(effects)
        if !effects.isEmpty { wake() }
    }
}

extension Tree {
    /// Points at a node's item on the server, its path as it is now; nil where there is none.
    func reference(of id: UInt64) -> ItemReference? {
        guard var reference = nodes[id]?.server?.reference else { return nil }
        guard reference.kind != .root else { return reference }
        var parts: [String] = []
        var current = id
        while current != Tree.rootID, let node = nodes[current],
            node.server?.reference.kind != .root, let home = home(of: node)
        {
            parts.append(home.name.name)
            guard parts.count < 4096 else { break }
            current = home.folder
        }
        guard current != id, let top = nodes[current]?.server?.reference,
            top.kind == .root || current == Tree.rootID
        else { return reference }
        let prefix = top.path == "/" ? "" : top.path
        reference.path = prefix + "/" + parts.reversed().joined(separator: "/")
        return reference
    }

    /// The name an item has on the server.
    func serverName(of node: Node) -> String {
        node.kind == .symbolicLink && !node.name.hasSuffix(LinkName.suffix)
            ? LinkName.stored(node.name) : node.name
    }
}

/// Names for the account's roots at the mount's top.
enum RootNames {
    static func items(of roots: [CloudRoot]) -> [CloudItem] {
        var counts: [String: Int] = [:]
        for root in roots { counts[root.name, default: 0] += 1 }
        return roots.map { root in
            let isUnique = counts[root.name] == 1
            return CloudItem(
                reference: .top(of: root.id),
                name: isUnique ? root.name : "\(root.name) (\(root.id))", size: 0, revision: nil,
                modified: nil, permissions: root.permissions, isLocked: root.isLocked)
        }
    }
}
