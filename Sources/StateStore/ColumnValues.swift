import FileSystemTypes
import FoundationEssentials
import GRDB

/// A stored value that this program never writes: the database is damaged.
struct DamagedValue: Error, CustomStringConvertible {
    let description: String
}

extension DatabaseValue {
    /// A string as its exact bytes: as TEXT, or as BLOB where it holds a NUL, which would end it.
    static func text(_ string: String) -> DatabaseValue {
        string.utf8.contains(0) ? Data(string.utf8).databaseValue : string.databaseValue
    }

    /// As `text(_:)`, or NULL.
    static func text(_ string: String?) -> DatabaseValue {
        guard let string else { return .null }
        return text(string)
    }

    /// Bytes; none are stored as a BLOB of no bytes or as NULL.
    static func bytes(_ bytes: [UInt8]) -> DatabaseValue { Data(bytes).databaseValue }

    /// Whole nanoseconds where they hold the time exactly, else `seconds:nanoseconds`.
    static func time(_ time: FileTime?) -> DatabaseValue {
        guard let time else { return .null }
        let count = time.nanosecondsSince1970
        if FileTime(nanosecondsSince1970: count) == time { return count.databaseValue }
        return "\(time.seconds):\(time.nanoseconds)".databaseValue
    }

    /// Ranges as `lower-upper`, with commas between them; NULL for none.
    static func ranges(_ ranges: [ByteRange]) -> DatabaseValue {
        guard !ranges.isEmpty else { return .null }
        return ranges.map { "\($0.lowerBound)-\($0.upperBound)" }.joined(separator: ",")
            .databaseValue
    }

    /// The same bits: SQLite has signed numbers only.
    static func inode(_ inode: InodeNumber) -> DatabaseValue {
        Int64(bitPattern: inode.rawValue).databaseValue
    }
}

extension StatementArguments {
    /// The values in order. The initializer for sequences of one type applies a key path to each,
    /// which showed in profiles.
    static func columns(_ values: [DatabaseValue]) -> StatementArguments {
        StatementArguments(ColumnIterator(values: values))
    }
}

/// Hands out column values as GRDB takes them, NULL without a box.
private struct ColumnIterator: Sequence, IteratorProtocol {
    let values: [DatabaseValue]
    private var index = 0

    init(values: [DatabaseValue]) { self.values = values }

    mutating func next() -> (any DatabaseValueConvertible)?? {
        guard index < values.count else { return nil }
        let value = values[index]
        index += 1
        return .some(value.isNull ? nil : value)
    }
}

extension Row {
    func text(_ index: Int) throws -> String {
        guard let text = try optionalText(index) else { throw damage(index) }
        return text
    }

    func optionalText(_ index: Int) throws -> String? {
        let value: DatabaseValue = self[index]
        switch value.storage {
        case .string(let string): return string
        case .blob(let data): return String(decoding: data, as: UTF8.self)
        case .null: return nil
        case .int64, .double: throw damage(index)
        }
    }

    func bytes(_ index: Int) throws -> [UInt8] {
        let value: DatabaseValue = self[index]
        switch value.storage {
        case .blob(let data): return [UInt8](data)
        case .null: return []
        case .string, .int64, .double: throw damage(index)
        }
    }

    func integer<Value: FixedWidthInteger>(_ index: Int) throws -> Value {
        guard let value: Value = try optionalInteger(index) else { throw damage(index) }
        return value
    }

    func optionalInteger<Value: FixedWidthInteger>(_ index: Int) throws -> Value? {
        let value: DatabaseValue = self[index]
        switch value.storage {
        case .int64(let number):
            guard let exact = Value(exactly: number) else { throw damage(index) }
            return exact
        case .null: return nil
        case .string, .blob, .double: throw damage(index)
        }
    }

    func inode(_ index: Int) throws -> InodeNumber {
        let bits: Int64 = try integer(index)
        return InodeNumber(UInt64(bitPattern: bits))
    }

    func time(_ index: Int) throws -> FileTime? {
        let value: DatabaseValue = self[index]
        switch value.storage {
        case .int64(let count): return FileTime(nanosecondsSince1970: count)
        case .null: return nil
        case .string(let text):
            let parts = text.split(separator: ":")
            guard parts.count == 2, let seconds = Int64(parts[0]), let rest = Int32(parts[1])
            else { throw damage(index) }
            return FileTime(seconds: seconds, nanoseconds: rest)
        case .blob, .double: throw damage(index)
        }
    }

    func ranges(_ index: Int) throws -> [ByteRange] {
        guard let text = try optionalText(index) else { return [] }
        return try text.split(separator: ",").map { part in
            let bounds = part.split(separator: "-")
            guard bounds.count == 2, let lower = Int64(bounds[0]), let upper = Int64(bounds[1]),
                lower <= upper
            else { throw damage(index) }
            return ByteRange(lower, upper)
        }
    }

    func damage(_ index: Int) -> DamagedValue {
        DamagedValue(description: "unexpected value in column \(index) of the state table")
    }
}
