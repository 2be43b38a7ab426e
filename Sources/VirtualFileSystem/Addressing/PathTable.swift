package import CloudStorage
package import FileSystemTypes
package import StateStore

/// Where the items of a path-addressed cloud are, by ids that stay over renames and moves.
///
/// Ids are the server's where it has some, else made here. Pure; not thread-safe.
///
/// Bounded by the tree: an entry that has a path is what the last listing of its folder, or a later
/// call, has shown there. What a listing lacks, or a call deletes, goes with all below it. Entries
/// without a path can come about only where their folder went while an answer about it was awaited:
/// no call can be told where they are, and they are thrown away before they outnumber the others by
/// more than `slack`.
package struct PathTable: Sendable {
    /// A name in a folder, as the server has it in its paths.
    package struct Place: Hashable, Sendable {
        var folder: ItemKey
        var name: NameKey

        package init(folder: ItemKey, name: NameKey) {
            self.folder = folder
            self.name = name
        }
    }

    struct Entry: Sendable {
        var place: Place
        /// Of the content as the server last described it; nil for folders.
        var revision: String?
        var size: Int64 = 0
        /// The table's sequence number when it came to its place.
        var stamp: UInt64 = 0
    }

    /// Ids that were made here begin with it; servers have numbers.
    private static let mark: Character = "~"
    private static let depthLimit = 4_096
    /// So many entries more than twice those that have a path are let be.
    package static let slack = 1_024

    private let uniqueText: @Sendable () -> String
    private(set) var entries: [ItemKey: Entry] = [:]
    private var names: [ItemKey: [NameKey: ItemKey]] = [:]
    /// Where calls under way are bringing items to.
    var arrivals: [Place: ItemKey] = [:]
    /// Items that such calls move or delete.
    var departures: Set<ItemKey> = []
    private(set) var sequence: UInt64 = 0
    /// The sequence numbers at which answers that are still awaited were asked for.
    private var looks: [UInt64] = []
    /// Where items were until a moment ago, which such an answer may still show there.
    private var vacated: [Place: UInt64] = [:]
    /// With so many entries those without a path are looked for.
    private var sweepCount = PathTable.slack

    /// - Parameter uniqueText: text that no other id has.
    package init(uniqueText: @escaping @Sendable () -> String) { self.uniqueText = uniqueText }

    /// How many items it knows.
    package var count: Int { entries.count }

    func newID() -> String { String(Self.mark) + uniqueText() }

    static func isOwn(_ id: String) -> Bool { id.first == mark }

    /// The last part of a path.
    static func lastName(of path: String) -> NameKey? {
        let bytes = path.utf8
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return nil }
        let name = String(Substring(bytes[bytes.index(after: slash)...]))
        return name.isEmpty ? nil : NameKey(name)
    }

    // MARK: Looking

    func key(at place: Place) -> ItemKey? { names[place.folder]?[place.name] }

    /// Absolute within the root; nil where the item, or a folder above it, is not known.
    func path(of key: ItemKey) -> String? {
        guard key.kind != .root else { return "/" }
        guard let chain = chain(of: key) else { return nil }
        return chain.reversed().map { "/" + (entries[$0]?.place.name.name ?? "") }.joined()
    }

    /// The item and the folders above it, without the top.
    func chain(of key: ItemKey) -> [ItemKey]? {
        var chain: [ItemKey] = []
        var current = key
        while current.kind != .root {
            guard let entry = entries[current], chain.count < Self.depthLimit else { return nil }
            chain.append(current)
            current = entry.place.folder
        }
        return chain
    }

    /// Points at an item as the rest of the file system knows it.
    package func reference(to key: ItemKey) -> ItemReference? {
        guard let path = path(of: key) else { return nil }
        let id = key.kind == .root ? nil : key.id
        return ItemReference(root: key.root, kind: key.kind, id: id, path: path)
    }

    // MARK: Changing

    /// Notes where an item is; what was known there before is elsewhere, or gone.
    package mutating func put(_ key: ItemKey, at place: Place) {
        guard entries[key]?.place != place else { return }
        if entries.count >= sweepCount { removeLost() }
        if let holder = self.key(at: place), holder != key { remove(holder) }
        sequence += 1
        var entry = entries[key] ?? Entry(place: place)
        if entries[key] != nil { vacate(entry.place, of: key) }
        entry.place = place
        entry.stamp = sequence
        entries[key] = entry
        names[place.folder, default: [:]][place.name] = key
    }

    mutating func describe(_ key: ItemKey, revision: String?, size: Int64) {
        entries[key]?.revision = revision
        entries[key]?.size = size
    }

    /// Forgets an item with all below it.
    package mutating func remove(_ key: ItemKey) {
        var keys = [key]
        while let next = keys.popLast() {
            keys += (names.removeValue(forKey: next) ?? [:]).values
            guard let entry = entries.removeValue(forKey: next) else { continue }
            vacate(entry.place, of: next)
        }
    }

    /// Forgets a file that is where it was; somebody else keeps its place in mind.
    mutating func unload(_ key: ItemKey) {
        guard let place = entries.removeValue(forKey: key)?.place,
            names[place.folder]?[place.name] == key
        else { return }
        names[place.folder]?[place.name] = nil
        if names[place.folder]?.isEmpty == true { names[place.folder] = nil }
    }

    /// A file that was unloaded, or that an earlier run knew, is where it was.
    mutating func takeBack(_ key: ItemKey, at place: Place, revision: String?, size: Int64) {
        entries[key] = Entry(place: place, revision: revision, size: size)
        names[place.folder, default: [:]][place.name] = key
    }

    /// Forgets what no folder has any more. Costs as much as there are entries, and is due again
    /// when these have doubled.
    private mutating func removeLost() {
        var reached: Set<ItemKey> = []
        reached.reserveCapacity(entries.count)
        var folders = names.keys.filter { $0.kind == .root }
        while let folder = folders.popLast() {
            for key in (names[folder] ?? [:]).values where reached.insert(key).inserted {
                if names[key] != nil { folders.append(key) }
            }
        }
        for key in entries.keys where !reached.contains(key) { remove(key) }
        sweepCount = 2 * entries.count + Self.slack
    }

    /// Takes up many entries in any order, folders after what is in them too.
    mutating func takeUp(_ fill: (inout PathTable) -> Void) {
        sweepCount = .max
        fill(&self)
        sweepCount = 2 * entries.count + Self.slack
    }

    private mutating func vacate(_ place: Place, of key: ItemKey) {
        guard names[place.folder]?[place.name] == key else { return }
        if !looks.isEmpty {
            sequence += 1
            vacated[place] = sequence
        }
        names[place.folder]?[place.name] = nil
        if names[place.folder]?.isEmpty == true { names[place.folder] = nil }
    }

    /// The key of an item that is known by its path only; its folders get ids as need be. Nil where
    /// another item is known there.
    mutating func register(_ reference: ItemReference) -> ItemKey? {
        let parts = reference.path.utf8.split(separator: UInt8(ascii: "/"))
            .map { NameKey(String(Substring($0))) }
        guard reference.path.utf8.first == UInt8(ascii: "/"), let last = parts.last else {
            return nil
        }
        var folder = ItemKey(.top(of: reference.root))
        for name in parts.dropLast() {
            let place = Place(folder: folder, name: name)
            if let known = key(at: place) {
                guard known.kind == .folder else { return nil }
                folder = known
            } else {
                let made = ItemKey(root: reference.root, kind: .folder, id: newID())
                put(made, at: place)
                folder = made
            }
        }
        let place = Place(folder: folder, name: last)
        if let known = key(at: place) {
            let isAsked = reference.id.map { $0 == known.id } ?? true
            return isAsked && known.kind == reference.kind ? known : nil
        }
        let key = ItemKey(
            root: reference.root, kind: reference.kind, id: reference.id ?? newID())
        put(key, at: place)
        return key
    }

    // MARK: What the server answers

    /// To be ended by `endLook`. Returns when an answer is asked for, as a sequence number.
    package mutating func beginLook() -> UInt64 {
        looks.append(sequence)
        return sequence
    }

    /// The answer has come, or never will.
    package mutating func endLook(_ askedAt: UInt64) {
        if let index = looks.firstIndex(of: askedAt) { looks.remove(at: index) }
        guard let oldest = looks.min() else { return vacated.removeAll() }
        vacated = vacated.filter { $0.value > oldest }
    }

    /// An item as the answer to a look shows it, with its id; nil where it has left that place
    /// since, so that the answer is older than what is known.
    package mutating func identify(
        _ item: CloudItem, in folder: ItemKey, askedAt: UInt64
    ) -> CloudItem? {
        let place = place(of: item, in: folder)
        guard item.reference.id == nil else { return identify(item, in: folder) }
        guard let key = key(at: place), key.kind == item.reference.kind,
            let entry = entries[key]
        else {
            let isOld = (vacated[place] ?? 0) > askedAt
            return isOld ? nil : identify(item, in: folder)
        }
        guard entry.stamp > askedAt else { return identify(item, in: folder) }
        // It came there since: what is shown may be what was there before.
        var item = item
        item.reference.id = key.id
        return item
    }

    private func place(of item: CloudItem, in folder: ItemKey) -> Place {
        Place(folder: folder, name: Self.lastName(of: item.reference.path) ?? NameKey(item.name))
    }

    /// An item of the cloud with its id.
    /// - Parameter newSince: the item is one made by a call that began at this sequence number, and
    ///   none that was known under the name before.
    mutating func identify(
        _ item: CloudItem, in folder: ItemKey, newSince: UInt64? = nil
    ) -> CloudItem {
        var item = item
        let place = place(of: item, in: folder)
        let key = key(of: item, at: place, newSince: newSince)
        if arrivals[place] != key { put(key, at: place) }
        describe(key, revision: item.revision, size: item.size)
        item.reference.id = key.id
        return item
    }

    private func key(of item: CloudItem, at place: Place, newSince: UInt64?) -> ItemKey {
        let reference = item.reference
        if let id = reference.id {
            return ItemKey(root: reference.root, kind: reference.kind, id: id)
        }
        let known = key(at: place) ?? arrivals[place]
        if let known, known.kind == reference.kind {
            let isOlder = newSince.map { (entries[known]?.stamp ?? 0) <= $0 } ?? false
            if !isOlder { return known }
        }
        return ItemKey(root: reference.root, kind: reference.kind, id: newID())
    }

    /// Forgets what a listing that was asked for at `askedAt` does not have.
    package mutating func retain(_ listed: Set<NameKey>, in folder: ItemKey, askedAt: UInt64) {
        for (name, key) in names[folder] ?? [:] where !listed.contains(name) {
            guard let entry = entries[key], entry.stamp <= askedAt, !departures.contains(key)
            else { continue }
            remove(key)
        }
    }
}
