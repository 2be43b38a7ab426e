/// The fields of a query string or a form body.
struct FormFields: Sendable {
    /// Names and values in order; the first of a name counts.
    private(set) var fields: [(name: String, value: String)] = []

    init() {}

    /// Reads `name=value&…`, as in queries and `application/x-www-form-urlencoded` bodies.
    init(urlEncoded text: some StringProtocol) throws(APIError) {
        for pair in text.split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = try PercentEncoding.decode(parts[0], plusIsSpace: true)
            let value =
                try parts.count > 1
                ? PercentEncoding.decode(parts[1], plusIsSpace: true) : ""
            add(name, value)
        }
    }

    mutating func add(_ name: String, _ value: String) { fields.append((name, value)) }

    mutating func add(_ others: FormFields) { fields += others.fields }

    subscript(name: String) -> String? {
        fields.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }

    /// A field that must be there.
    func required(_ name: String) throws(APIError) -> String {
        guard let value = self[name] else { throw .missing(name) }
        return value
    }

    /// A field that must be there and not be empty.
    func filled(_ name: String) throws(APIError) -> String {
        let value = try required(name)
        if value.isEmpty { throw .invalid(name) }
        return value
    }

    /// A whole number; empty counts as not given.
    func integer(_ name: String) throws(APIError) -> Int64? {
        guard let text = self[name], !text.isEmpty else { return nil }
        guard let number = Int64(text) else { throw .invalid(name) }
        return number
    }

    /// `true` or `false`; nil where the field is not given or empty.
    func optionalFlag(_ name: String) throws(APIError) -> Bool? {
        guard let text = self[name], !text.isEmpty else { return nil }
        return try flag(name, default: text == "true")
    }

    /// A JSON list; nil where the field is not given, an empty list where it is empty.
    func list<Element: Decodable>(_ name: String) throws(APIError) -> [Element]? {
        guard let text = self[name] else { return nil }
        if text.isEmpty { return [] }
        do {
            return try JSONText.decode([Element].self, text)
        } catch {
            throw .invalid(name)
        }
    }

    /// Puts another value in the place of a field's.
    mutating func replace(_ name: String, with value: String) {
        fields.removeAll { $0.name.utf8.elementsEqual(name.utf8) }
        add(name, value)
    }

    /// `true` or `false`; empty counts as not given.
    func flag(_ name: String, default value: Bool) throws(APIError) -> Bool {
        switch self[name] {
        case nil, "": value
        case "true": true
        case "false": false
        default: throw .invalid(name)
        }
    }
}

/// Percent encoding of URLs and forms.
enum PercentEncoding {
    /// Decodes to UTF-8; throws `invalid_request` on bad escapes and on bytes that are no UTF-8.
    static func decode(_ text: some StringProtocol, plusIsSpace: Bool) throws(APIError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8.makeIterator()
        while let byte = rest.next() {
            switch byte {
            case UInt8(ascii: "%"):
                guard let high = rest.next().flatMap(digit), let low = rest.next().flatMap(digit)
                else { throw .malformedBody }
                bytes.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: bytes.append(UInt8(ascii: " "))
            default: bytes.append(byte)
            }
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else { throw .malformedBody }
        return decoded
    }

    static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): byte - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): byte - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
