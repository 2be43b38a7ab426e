/// A file name as a key: equal only where the bytes are, as Linux compares names.
///
/// `String` calls names equal that differ in Unicode normalization; folders hold both.
package struct NameKey: Hashable, Sendable {
    package let name: String

    package init(_ name: String) { self.name = name }

    package static func == (left: NameKey, right: NameKey) -> Bool {
        left.name.hasSameBytes(as: right.name)
    }

    package func hash(into hasher: inout Hasher) {
        var name = name
        name.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension String {
    /// Whether two names are the same to Linux.
    package func hasSameBytes(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
