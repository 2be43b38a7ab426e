/// One of the document's three-tuples: `[1, "web", "COLLABORATOR"]`.
package struct WireSubscriber: Codable, Hashable, Sendable, WireValue {
    /// How the root is subscribed to.
    package enum Kind: Hashable, Sendable {
        /// `all`, `future`, `web`, `webdav`, for groups also `machines`; others are kept.
        case word(String)
        case machine(Int64)

        package static let all = Kind.word("all")
        package static let future = Kind.word("future")
        package static let web = Kind.word("web")
        package static let webDAV = Kind.word("webdav")
        package static let machines = Kind.word("machines")

        /// The word, or the machine's number.
        package var text: String {
            switch self {
            case .word(let word): word
            case .machine(let machine): String(machine)
            }
        }
    }

    /// Of a person or of a group.
    package var id: Int64
    package var kind: Kind
    /// An access role, such as `COLLABORATOR`.
    package var role: String

    package init(id: Int64, kind: Kind, role: String) {
        self.id = id
        self.kind = kind
        self.role = role
    }

    package init?(json: JSONValue) {
        guard case .list(let parts) = json, parts.count >= 3, let id = Int64(json: parts[0]),
            let role = String(json: parts[2])
        else { return nil }
        switch parts[1] {
        case .text(let word): kind = .word(word)
        case .integer(let machine): kind = .machine(machine)
        default: return nil
        }
        self.id = id
        self.role = role
    }

    package var json: JSONValue {
        let second: JSONValue =
            switch kind {
            case .word(let word): .text(word)
            case .machine(let machine): .integer(machine)
            }
        return .list([.integer(id), second, .text(role)])
    }

    package init(from decoder: any Decoder) throws {
        let json = try JSONValue(from: decoder)
        guard let subscriber = WireSubscriber(json: json) else {
            throw DecodingError.dataCorrupted(
                DecodingError.Context(
                    codingPath: decoder.codingPath, debugDescription: "no three-tuple"))
        }
        self = subscriber
    }

    package func encode(to encoder: any Encoder) throws { try json.encode(to: encoder) }
}

/// The subscribers of a share ("Liste der Freigabenabonnenten").
package struct WireSubscribers: WireObject {
    package struct Fields: Sendable {
        package let subscribers = WireField<[WireSubscriber]>("subscribers")
        package let groups = WireField<[WireSubscriber]>("group_subscribers")
        /// Persons through a subscribed group; only where asked for.
        package let fromGroup = WireField<[WireSubscriber]>("from_group")
    }

    package static let names = Fields()
    package static var required: [String] { [] }

    package var fields: [String: JSONValue]

    package init(fields: [String: JSONValue]) { self.fields = fields }

    /// `invited`, `accepted`, `declined` or another word, by e-mail address.
    package var external: [String: String] {
        get {
            guard case .object(let states) = fields["external_subscribers"] else { return [:] }
            return states.compactMapValues(String.init(json:))
        }
        set { fields["external_subscribers"] = .object(newValue.mapValues { .text($0) }) }
    }
}

/// One page of a list: at most 100 objects from an offset on.
package struct WirePage<Element: Codable & Hashable & Sendable>: Codable, Hashable, Sendable {
    package var results: [Element]
    package var offset: Int64?
    /// Of the whole list.
    package var total: Int64?

    package init(results: [Element], offset: Int64, total: Int64) {
        self.results = results
        self.offset = offset
        self.total = total
    }
}

/// `{"results": …}` around one value.
package struct WireResult<Value: Codable & Hashable & Sendable>: Codable, Hashable, Sendable {
    package var results: Value

    package init(results: Value) { self.results = results }
}
