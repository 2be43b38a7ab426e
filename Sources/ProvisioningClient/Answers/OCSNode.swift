import FoundationEssentials

/// A value of an OCS answer, whether it came as XML or as JSON.
///
/// XML has neither types nor a difference between an empty list, an empty object and an empty text:
/// the readers of a value say what they expect.
enum OCSNode: Sendable, Hashable {
    /// Null, an element without content, an empty list or object.
    case empty
    case text(String)
    case list([OCSNode])
    /// Members in their order; of those with the same name the first counts.
    case object([Member])

    struct Member: Sendable, Hashable {
        var name: String
        var value: OCSNode
    }

    subscript(name: String) -> OCSNode? {
        guard case .object(let members) = self else { return nil }
        return members.first { $0.name == name }?.value
    }

    /// Empty where there is none.
    var text: String? {
        switch self {
        case .text(let text): text
        case .empty: ""
        case .list, .object: nil
        }
    }

    /// Nil for none and for an empty one.
    var filledText: String? { text.flatMap { $0.isEmpty ? nil : $0 } }

    var number: Int64? {
        guard let text = filledText else { return nil }
        if let number = Int64(text) { return number }
        // ownCloud writes sizes beyond its integers as `1.1e+12`.
        guard let value = Double(text), value.magnitude < 9e18 else { return nil }
        return Int64(value)
    }

    /// XML: `1` and `true`; JSON also as a text.
    var flag: Bool? {
        switch text {
        case "true", "1": true
        case "false", "0", "": false
        default: nil
        }
    }

    /// The texts of a list. PHP writes a list whose numbers have gaps as an object.
    var texts: [String]? {
        switch self {
        case .empty: []
        case .text: nil
        case .list(let nodes): Self.texts(nodes)
        case .object(let members): Self.texts(members.map(\.value))
        }
    }

    private static func texts(_ nodes: [OCSNode]) -> [String]? {
        var texts: [String] = []
        for node in nodes {
            guard let text = node.text else { return nil }
            texts.append(text)
        }
        return texts
    }

    var members: [Member] {
        if case .object(let members) = self { return members }
        return []
    }
}

extension OCSNode: Decodable {
    private struct Name: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }

        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { return nil }
    }

    init(from decoder: any Decoder) throws {
        if let container = try? decoder.container(keyedBy: Name.self) {
            let members = try container.allKeys.map { key in
                Member(
                    name: key.stringValue, value: try container.decode(OCSNode.self, forKey: key))
            }
            self = members.isEmpty ? .empty : .object(members)
        } else if var container = try? decoder.unkeyedContainer() {
            var nodes: [OCSNode] = []
            while !container.isAtEnd { nodes.append(try container.decode(OCSNode.self)) }
            self = nodes.isEmpty ? .empty : .list(nodes)
        } else {
            self = try Self.single(try decoder.singleValueContainer())
        }
    }

    private static func single(_ container: any SingleValueDecodingContainer) throws -> OCSNode {
        if container.decodeNil() { return .empty }
        if let flag = try? container.decode(Bool.self) { return .text(flag ? "true" : "false") }
        if let number = try? container.decode(Int64.self) { return .text(String(number)) }
        if let number = try? container.decode(Double.self) { return .text(String(number)) }
        let text = try container.decode(String.self)
        return text.isEmpty ? .empty : .text(text)
    }
}
