import CloudStorage

/// Which server item a lease is for: its id, or its path where the cloud has no ids, byte by byte.
struct LeaseKey: Hashable, Sendable {
    private let root: [UInt8]
    private let kind: ItemReference.Kind
    private let identity: [UInt8]

    init(_ item: ItemReference) {
        root = Array(item.root.rawValue.utf8)
        kind = item.kind
        identity = Array((item.id ?? item.path).utf8)
    }
}
