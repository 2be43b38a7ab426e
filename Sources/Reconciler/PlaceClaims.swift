/// Places on the server that jobs under way are about to take.
struct PlaceClaims: Sendable {
    private var places: [UInt64: NodePlace] = [:]
    private var holders: [NodePlace: UInt64] = [:]
    private var folders: [UInt64: Set<UInt64>] = [:]
    /// Places beside their own that jobs keep others from.
    private var kept: [UInt64: [NodePlace]] = [:]

    func holder(of place: NodePlace) -> UInt64? { holders[place] }

    /// Where an item is about to be.
    func place(of item: UInt64) -> NodePlace? { places[item] }

    /// An item that is about to come into a folder.
    func arriving(in folder: UInt64) -> UInt64? { folders[folder]?.min() }

    mutating func begin(_ item: UInt64, _ place: NodePlace) {
        end(item)
        places[item] = place
        holders[place] = item
        folders[place.folder, default: []].insert(item)
    }

    /// Keeps others from a place until `end`; false where another one is about to take it.
    mutating func keep(_ place: NodePlace, for item: UInt64) -> Bool {
        if let holder = holders[place] { return holder == item }
        holders[place] = item
        kept[item, default: []].append(place)
        return true
    }

    mutating func end(_ item: UInt64) {
        for place in kept.removeValue(forKey: item) ?? [] where holders[place] == item {
            holders[place] = nil
        }
        guard let place = places.removeValue(forKey: item) else { return }
        if holders[place] == item { holders[place] = nil }
        folders[place.folder]?.remove(item)
        if folders[place.folder]?.isEmpty == true { folders[place.folder] = nil }
    }
}
