/// Places on the server that jobs under way are about to take.
struct PlaceClaims: Sendable {
    private var places: [UInt64: NodePlace] = [:]
    private var holders: [NodePlace: UInt64] = [:]
    private var folders: [UInt64: Set<UInt64>] = [:]

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

    mutating func end(_ item: UInt64) {
        guard let place = places.removeValue(forKey: item) else { return }
        if holders[place] == item { holders[place] = nil }
        folders[place.folder]?.remove(item)
        if folders[place.folder]?.isEmpty == true { folders[place.folder] = nil }
    }
}
