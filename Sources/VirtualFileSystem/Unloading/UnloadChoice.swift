/// Which folders' entries leave memory when too many are known: the least recently used first.
///
/// Pure: no clock, no tree, no lock.
package struct UnloadChoice {
    /// A folder with entries in memory.
    package struct Folder: Hashable, Sendable {
        /// Its node.
        package var id: UInt64
        /// The folder it is in; not necessarily one of those to choose from.
        package var parent: UInt64
        /// When a program used it, or something of ours changed in it, last.
        package var usedAt: Double
        /// How many entries would go.
        package var entries: Int
        /// In use, so that its entries stay whatever its age.
        package var isPinned = false

        package init(
            id: UInt64, parent: UInt64, usedAt: Double, entries: Int, isPinned: Bool = false
        ) {
            self.id = id
            self.parent = parent
            self.usedAt = usedAt
            self.entries = entries
            self.isPinned = isPinned
        }
    }

    /// Folders to unload, in order, so that at least `excess` entries go where so many can.
    ///
    /// A folder counts as used when one below it was; of equally old ones those that are deeper go
    /// first, since a folder in memory is an entry of the one above.
    /// - Parameter usedBefore: younger ones stay.
    package static func choose(
        from folders: [Folder], excess: Int, usedBefore: Double
    ) -> [UInt64] {
        guard excess > 0 else { return [] }
        let known = Dictionary(folders.map { ($0.id, $0) }) { first, _ in first }
        let ages = ages(of: known)
        let old = folders.filter { folder in
            !folder.isPinned && folder.entries > 0
                && (ages[folder.id]?.usedAt ?? .infinity) < usedBefore
        }
        let order = old.sorted { left, right in
            guard let one = ages[left.id], let other = ages[right.id] else { return false }
            if one.usedAt != other.usedAt { return one.usedAt < other.usedAt }
            if one.depth != other.depth { return one.depth > other.depth }
            return left.id < right.id
        }
        var chosen: [UInt64] = []
        var freed = 0
        for folder in order where freed < excess {
            chosen.append(folder.id)
            freed += folder.entries
        }
        return chosen
    }

    private struct Age {
        var usedAt: Double
        var depth: Int
    }

    private static let depthLimit = 4_096

    private static func ages(of folders: [UInt64: Folder]) -> [UInt64: Age] {
        var ages = folders.mapValues { Age(usedAt: $0.usedAt, depth: 0) }
        for folder in folders.values {
            var current = folder.parent
            var depth = 0
            var previous = folder.id
            while current != previous, let above = folders[current], depth < depthLimit {
                depth += 1
                if let known = ages[current], known.usedAt < folder.usedAt {
                    ages[current]?.usedAt = folder.usedAt
                }
                (previous, current) = (current, above.parent)
            }
            ages[folder.id]?.depth = depth
        }
        return ages
    }
}
