/// A file name as a key: equal only where the bytes are, as Linux compares names.
///
/// `String` calls names equal that differ in Unicode normalization; folders hold both.
struct NameKey: Hashable {
    let name: String

    init(_ name: String) { self.name = name }

    static func == (left: NameKey, right: NameKey) -> Bool {
        left.name.hasSameBytes(as: right.name)
    }

    func hash(into hasher: inout Hasher) {
        var name = name
        name.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }
}

extension String {
    /// Whether two names are the same to Linux.
    func hasSameBytes(as other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
