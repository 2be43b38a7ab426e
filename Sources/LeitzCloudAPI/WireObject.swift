/// An object of API v2: known fields by typed members, and every other field as it came, so that
/// nothing a newer server sends is lost when the object is encoded again.
///
/// `object.member` reads and writes the field that `Fields` has under that name; nil is a field
/// that is missing, null, or of another type, and writing nil makes it null.
@dynamicMemberLookup
package protocol WireObject: Codable, Hashable, Sendable, WireValue {
    associatedtype Fields: Sendable

    static var names: Fields { get }

    /// Fields without which a decoded object is refused.
    static var required: [String] { get }

    var fields: [String: JSONValue] { get set }

    /// An object with these fields, unchecked.
    init(fields: [String: JSONValue])
}

/// The name of a field in JSON, with the type of its value.
package struct WireField<Value: WireValue>: Sendable {
    package let name: String

    package init(_ name: String) { self.name = name }
}

extension WireObject {
    package static var required: [String] { ["id"] }

    package subscript<Value>(
        dynamicMember member: KeyPath<Fields, WireField<Value>>
    ) -> Value? {
        get { fields[Self.names[keyPath: member].name].flatMap(Value.init(json:)) }
        set { fields[Self.names[keyPath: member].name] = newValue?.json ?? .null }
    }

    /// The object's number; 0 only for one made without a number.
    package var id: Int64 {
        get { fields["id"].flatMap(Int64.init(json:)) ?? 0 }
        set { fields["id"] = .integer(newValue) }
    }

    /// The `type` word; nil where the server sends none.
    package var type: String? {
        get { fields["type"].flatMap(String.init(json:)) }
        set { fields["type"] = newValue?.json ?? .null }
    }

    package init?(json: JSONValue) {
        guard case .object(let fields) = json, Self.missing(in: fields) == nil else { return nil }
        self.init(fields: fields)
    }

    package var json: JSONValue { .object(fields) }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.singleValueContainer().decode([String: JSONValue].self)
        if let missing = Self.missing(in: fields) {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: decoder.codingPath, debugDescription: "no usable \(missing)"))
        }
        self.init(fields: fields)
    }

    package func encode(to encoder: any Encoder) throws { try fields.encode(to: encoder) }

    private static func missing(in fields: [String: JSONValue]) -> String? {
        required.first { name in
            switch fields[name] {
            case nil, .null: true
            case let value? where name == "id": Int64(json: value) == nil
            default: false
            }
        }
    }
}
