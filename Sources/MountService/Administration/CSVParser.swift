/// Reads comma-separated values (RFC 4180) piece by piece. No I/O; memory is one record.
///
/// Semicolons separate instead of commas where the first line has more of them, as some
/// spreadsheets write. A byte-order mark is left out.
struct CSVParser {
    struct Record: Sendable, Equatable {
        /// Of the record's beginning, from 1.
        var line: Int
        var fields: [String]
    }

    /// Why the text is no table.
    enum Malformed: Error, Equatable {
        case unclosedQuote(line: Int)
        case notUTF8(line: Int)
        case recordTooLong(line: Int)
    }

    /// The most bytes that one record may have.
    static let maximumRecord = 1 << 20

    private enum State { case plain, quoted, quoteInQuoted }

    private var state = State.plain
    private var separator: UInt8?
    private var header: [UInt8] = []
    private var field: [UInt8] = []
    private var fields: [[UInt8]] = []
    private var size = 0
    private var line = 1
    private var recordLine = 1
    private var isFieldQuoted = false

    /// Takes the next bytes and gives the records that they end.
    mutating func feed(_ bytes: some Sequence<UInt8>) throws(Malformed) -> [Record] {
        var records: [Record] = []
        for byte in bytes {
            if separator == nil {
                // The whole first line decides; it is read once it is there.
                header.append(byte)
                if header.count > Self.maximumRecord { throw .recordTooLong(line: 1) }
                if byte == UInt8(ascii: "\n") { try begin(&records) }
            } else {
                try take(byte, &records)
            }
        }
        return records
    }

    /// The record that the end of the text ends, if there is one.
    mutating func finish() throws(Malformed) -> [Record] {
        var records: [Record] = []
        if separator == nil { try begin(&records) }
        if state == .quoted { throw .unclosedQuote(line: recordLine) }
        if !field.isEmpty || !fields.isEmpty || isFieldQuoted { try endRecord(&records) }
        return records
    }

    private mutating func begin(_ records: inout [Record]) throws(Malformed) {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        let line = header.starts(with: mark) ? Array(header.dropFirst(3)) : header
        let commas = line.count { $0 == UInt8(ascii: ",") }
        let semicolons = line.count { $0 == UInt8(ascii: ";") }
        separator = semicolons > commas ? UInt8(ascii: ";") : UInt8(ascii: ",")
        header = []
        for byte in line { try take(byte, &records) }
    }

    private mutating func take(_ byte: UInt8, _ records: inout [Record]) throws(Malformed) {
        size += 1
        if size > Self.maximumRecord { throw .recordTooLong(line: recordLine) }
        if byte == UInt8(ascii: "\n") { line += 1 }
        let quote = UInt8(ascii: "\"")
        switch state {
        case .quoted where byte == quote: state = .quoteInQuoted
        case .quoted: field.append(byte)
        case .quoteInQuoted where byte == quote:
            field.append(quote)
            state = .quoted
        case .plain where byte == quote && field.isEmpty && !isFieldQuoted:
            state = .quoted
            isFieldQuoted = true
        default:
            state = .plain
            switch byte {
            case separator: endField()
            case UInt8(ascii: "\n"): try endRecord(&records)
            case UInt8(ascii: "\r"): break
            default: field.append(byte)
            }
        }
    }

    private mutating func endField() {
        fields.append(field)
        field = []
        isFieldQuoted = false
    }

    /// Empty lines are no records.
    private mutating func endRecord(_ records: inout [Record]) throws(Malformed) {
        endField()
        defer {
            fields = []
            size = 0
            recordLine = line
        }
        if fields.count == 1, fields[0].isEmpty { return }
        var texts: [String] = []
        for bytes in fields {
            guard let text = String(validating: bytes, as: UTF8.self) else {
                throw .notUTF8(line: recordLine)
            }
            texts.append(text)
        }
        records.append(Record(line: recordLine, fields: texts))
    }
}
