/// What can be done about one item now.
extension Reconciliation {
    enum Verdict: Hashable {
        case job(ReconciliationJob)
        case wait(Blocker)
        /// Nothing until the item itself changes.
        case idle
    }

    /// The folder of an item on the server; asked for items that do not differ.
    package typealias FolderLookup = (UInt64) -> UInt64?

    func verdict(on item: UInt64, _ folderOf: FolderLookup = { _ in nil }) -> Verdict {
        guard let difference = entries[item]?.difference else { return .idle }
        guard let wanted = difference.wanted else { return removal(of: item, difference) }
        if let parent = entries[wanted.folder], parent.difference.home == nil {
            return .wait(Blocker(item: wanted.folder, isPlace: false))
        }
        if difference.home != wanted, let holder = homes[wanted], holder != item {
            return contest(of: item, difference, with: holder)
        }
        if difference.home != wanted, let taker = claims.holder(of: wanted), taker != item {
            return .wait(Blocker(item: taker, isPlace: true))
        }
        if difference.home == nil {
            switch (difference.kind, difference.content) {
            case (.folder, _): return .job(.makeFolder(item))
            case (.file, .ready): return .job(.store(item))
            case (.file, _): return .idle
            }
        }
        if let home = difference.home, home != wanted {
            if difference.kind == .folder, home.folder != wanted.folder,
                let inner = leaver(of: item, above: wanted.folder, folderOf)
            {
                return .wait(Blocker(item: inner, isPlace: false))
            }
            return .job(.relocate(item))
        }
        switch difference.content {
        case .ready: return .job(.store(item))
        case .none where difference.isTimeUnsent: return .job(.setTime(item))
        case .none, .open: return .idle
        }
    }

    /// Where the server has `folder` below `item`, or soon may: who has to leave `item` first, so
    /// that `item` does not move into itself.
    private func leaver(
        of item: UInt64, above folder: UInt64, _ folderOf: FolderLookup
    ) -> UInt64? {
        var ways: [(here: UInt64, found: UInt64?)] = [(folder, nil)]
        var steps = 0
        while let (here, found) = ways.popLast(), steps < 8192 {
            steps += 1
            if here == item {
                if let found { return found }
                continue
            }
            // A move under way counts as done and as not done.
            if let claim = claims.place(of: here) { ways.append((claim.folder, found ?? here)) }
            if let difference = entries[here]?.difference, let home = difference.home {
                let isLeaving = difference.wanted != home
                ways.append((home.folder, found ?? (isLeaving ? here : nil)))
            } else if let above = folderOf(here), above != here {
                ways.append((above, found))
            }
        }
        return nil
    }

    /// The server has something in the place that the item is to have.
    private func contest(
        of item: UInt64, _ difference: Difference, with holder: UInt64
    ) -> Verdict {
        let blocked = Verdict.wait(Blocker(item: holder, isPlace: true))
        guard let other = entries[holder], !other.isRunning else { return blocked }
        guard other.difference.wanted == nil, other.difference.kind == .file,
            difference.kind == .file
        else { return blocked }
        if difference.home != nil { return .job(.replace(item: item, removed: holder)) }
        guard case .ready = difference.content else { return .idle }
        return .job(.adopt(item: item, removed: holder))
    }

    private func removal(of item: UInt64, _ difference: Difference) -> Verdict {
        guard let home = difference.home, !difference.isHeld else { return .idle }
        if let folder = entries[home.folder], folder.difference.wanted == nil, !folder.isRefused {
            // It goes with its folder.
            return .wait(Blocker(item: home.folder, isPlace: false))
        }
        if difference.kind == .folder {
            switch contents(of: item) {
            case .blocked(let child): return .wait(Blocker(item: child, isPlace: false))
            case .goes(let others): return .job(.delete(item, with: others))
            }
        }
        guard let successor = wanters[home], successor != item, let heir = entries[successor],
            heir.difference.kind == .file
        else { return .job(.delete(item, with: [])) }
        // What takes its place becomes its next content, or replaces it in one go.
        if heir.difference.home == nil, !heir.isRunning, !heir.isRefused,
            case .ready = heir.difference.content
        {
            return .job(.adopt(item: successor, removed: item))
        }
        return .wait(Blocker(item: successor, isPlace: false))
    }

    private enum Contents {
        /// An item has to leave the folder first, or is being worked on.
        case blocked(UInt64)
        /// Removed items that go with the folder.
        case goes([UInt64])
    }

    private func contents(of folder: UInt64) -> Contents {
        var found: [UInt64] = []
        var folders = [folder]
        while let next = folders.popLast() {
            if let arriving = claims.arriving(in: next) { return .blocked(arriving) }
            for child in (homeChildren[next] ?? []).sorted() {
                guard let entry = entries[child] else { continue }
                if entry.isRunning || entry.difference.wanted != nil || entry.difference.isHeld {
                    return .blocked(child)
                }
                found.append(child)
                if entry.difference.kind == .folder { folders.append(child) }
            }
        }
        return .goes(found)
    }
}

extension Reconciliation {
    /// Whether something is being done about an item, or will be without anybody's doing.
    package func isUnderWay(_ item: UInt64) -> Bool {
        var item = item
        var seen: Set<UInt64> = []
        while seen.insert(item).inserted {
            guard let entry = entries[item] else { return false }
            if entry.isRunning { return true }
            if entry.isRefused { return false }
            switch verdict(on: item) {
            case .idle: return false
            case .job: return true
            case .wait(let blocker): item = blocker.item
            }
        }
        // A circle, which one of its items will leave.
        return true
    }

    /// An item, and those it waits for one after the other.
    /// - Parameter looksAhead: also those that it will wait for when its turn comes, which takes
    ///   longer to find.
    package func chain(from item: UInt64, looksAhead: Bool = false) -> [UInt64] {
        var found = [item]
        while found.count < 64 {
            let last = found[found.count - 1]
            var blocker = entries[last]?.blocker
            if blocker == nil, looksAhead, entries[last]?.isRunning == false,
                case .wait(let next) = verdict(on: last)
            {
                blocker = next
            }
            guard let blocker, !found.contains(blocker.item) else { break }
            found.append(blocker.item)
        }
        return found
    }
}
