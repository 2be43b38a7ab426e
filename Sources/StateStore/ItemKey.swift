package import CloudStorage

/// The identity of an item on the server: its id, or its path where the cloud has no ids.
///
/// Two keys are equal where their bytes are: servers hold names that differ only in Unicode
/// normalization, which `String` would call equal.
package struct ItemKey: Hashable, Sendable {
    package let root: RootIdentifier
    package let kind: ItemReference.Kind
    package let id: String

    package init(root: RootIdentifier, kind: ItemReference.Kind, id: String) {
        self.root = root
        self.kind = kind
        self.id = id
    }

    /// The key of the item that a reference points at.
    package init(_ reference: ItemReference) {
        self.init(
            root: reference.root, kind: reference.kind, id: reference.id ?? reference.path)
    }

    package static func == (left: ItemKey, right: ItemKey) -> Bool {
        left.kind == right.kind && left.id.utf8.elementsEqual(right.id.utf8)
            && left.root.rawValue.utf8.elementsEqual(right.root.rawValue.utf8)
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(kind)
        var id = id
        id.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}
