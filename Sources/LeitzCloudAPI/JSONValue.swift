/// Any JSON value, kept as it came.
package enum JSONValue: Codable, Hashable, Sendable {
    case null
    case flag(Bool)
    case integer(Int64)
    /// A number that is no 64-bit integer.
    case number(Double)
    case text(String)
    case list([JSONValue])
    case object([String: JSONValue])

    package init(from decoder: any Decoder) throws {
        let single = try decoder.singleValueContainer()
        if single.decodeNil() {
            self = .null
        } else if let flag = try? single.decode(Bool.self) {
            self = .flag(flag)
        } else if let integer = try? single.decode(Int64.self) {
            self = .integer(integer)
        } else if let text = try? single.decode(String.self) {
            self = .text(text)
        } else if let number = try? single.decode(Double.self) {
            self = .number(number)
        } else if let list = try? single.decode([JSONValue].self) {
            self = .list(list)
        } else {
            self = .object(try single.decode([String: JSONValue].self))
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var single = encoder.singleValueContainer()
        switch self {
        case .null: try single.encodeNil()
        case .flag(let flag): try single.encode(flag)
        case .integer(let integer): try single.encode(integer)
        case .number(let number): try single.encode(number)
        case .text(let text): try single.encode(text)
        case .list(let list): try single.encode(list)
        case .object(let object): try single.encode(object)
        }
    }

    /// The value as a form field, as clients of API v2 send it; nil for lists and objects.
    package var formText: String? {
        switch self {
        case .null: ""
        case .flag(let flag): flag ? "true" : "false"
        case .integer(let integer): String(integer)
        case .number(let number): String(number)
        case .text(let text): text
        case .list, .object: nil
        }
    }
}

/// A type that a field of a JSON object can have.
package protocol WireValue: Hashable, Sendable {
    /// Nil where the value is of another type.
    init?(json: JSONValue)

    /// As it is sent.
    var json: JSONValue { get }
}

extension JSONValue: WireValue {
    package init?(json: JSONValue) { self = json }

    package var json: JSONValue { self }
}

extension String: WireValue {
    package init?(json: JSONValue) {
        guard case .text(let text) = json else { return nil }
        self = text
    }

    package var json: JSONValue { .text(self) }
}

extension Bool: WireValue {
    package init?(json: JSONValue) {
        guard case .flag(let flag) = json else { return nil }
        self = flag
    }

    package var json: JSONValue { .flag(self) }
}

extension Int64: WireValue {
    package init?(json: JSONValue) {
        guard let value = LenientInteger(json: json)?.value else { return nil }
        self = value
    }

    package var json: JSONValue { .integer(self) }
}

extension Array: WireValue where Element: WireValue {
    /// Elements of another type are left out.
    package init?(json: JSONValue) {
        guard case .list(let list) = json else { return nil }
        self = list.compactMap(Element.init(json:))
    }

    package var json: JSONValue { .list(map(\.json)) }
}

/// An integer that servers send as a number, as a string of digits, or as an empty string.
package struct LenientInteger: Codable, Hashable, Sendable, WireValue {
    /// Nil for an empty string and for whatever else is no integer: no figure that is sent this
    /// way is worth failing a sign-in for.
    package var value: Int64?

    package init(_ value: Int64?) { self.value = value }

    package init?(json: JSONValue) {
        switch json {
        case .null: return nil
        case .integer(let integer): value = integer
        case .number(let number) where number.isFinite && abs(number) < 9.2e18:
            value = Int64(number)
        case .text(let text): value = Int64(text)
        default: value = nil
        }
    }

    package var json: JSONValue { value.map { .integer($0) } ?? .null }

    package init(from decoder: any Decoder) throws {
        value = LenientInteger(json: try JSONValue(from: decoder))?.value
    }

    package func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }
}

/// A date and time as a server wrote it.
package struct WireTime: Hashable, Sendable, WireValue {
    package var text: String

    /// - Parameter seconds: since 1970.
    package init(_ seconds: Int64) { text = WireDate.format(seconds) }

    package init?(json: JSONValue) {
        guard case .text(let text) = json else { return nil }
        self.text = text
    }

    package var json: JSONValue { .text(text) }

    /// Seconds since 1970, from either form of the document or from a day alone; nil where the
    /// text is no date.
    package var seconds: Int64? { WireDate.parse(text) ?? WireDate.parseDay(text) }
}
