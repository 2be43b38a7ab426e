/// An `If` header (RFC 4918 section 10.4): lists of conditions, each list on one resource. One list
/// that holds is enough.
struct IfHeader: Sendable {
    enum Condition: Sendable, Equatable {
        case token(String)
        /// With its quotes.
        case etag(String)
    }

    struct Term: Sendable {
        var isNegated: Bool
        var condition: Condition
    }

    struct List: Sendable {
        /// Nil for the resource that the request is about.
        var resource: String?
        var terms: [Term]
    }

    private static let maximumLists = 100

    private(set) var lists: [List] = []

    /// All tokens that are named without `Not`: the ones that the client shows it has.
    var tokens: Set<String> {
        var tokens: Set<String> = []
        for list in lists {
            for term in list.terms where !term.isNegated {
                if case .token(let token) = term.condition { tokens.insert(token) }
            }
        }
        return tokens
    }

    init(_ text: String) throws(DAVError) {
        var rest = Substring(text)
        var resource: String?
        while true {
            Self.skipSpace(&rest)
            guard let first = rest.first else { break }
            switch first {
            case "<": resource = try Self.bracketed(&rest, "<", ">")
            case "(": lists.append(List(resource: resource, terms: try Self.terms(&rest)))
            // Lines of one header are joined with commas.
            case ",": rest.removeFirst()
            default: throw Self.malformed
            }
            if lists.count > Self.maximumLists { throw Self.malformed }
        }
        if lists.isEmpty { throw Self.malformed }
    }

    private static let malformed = DAVError.badRequest("The If header can't be read")

    private static func skipSpace(_ rest: inout Substring) {
        rest = rest.drop { $0 == " " || $0 == "\t" }
    }

    private static func bracketed(
        _ rest: inout Substring, _ open: Character, _ close: Character
    ) throws(DAVError) -> String {
        guard rest.first == open, let end = rest.firstIndex(of: close) else { throw malformed }
        let text = rest[rest.index(after: rest.startIndex)..<end]
        rest = rest[rest.index(after: end)...]
        return String(text)
    }

    private static func terms(_ rest: inout Substring) throws(DAVError) -> [Term] {
        rest.removeFirst()
        var terms: [Term] = []
        while true {
            skipSpace(&rest)
            if rest.first == ")" {
                rest.removeFirst()
                if terms.isEmpty { throw malformed }
                return terms
            }
            var isNegated = false
            if rest.prefix(3).lowercased() == "not" {
                isNegated = true
                rest = rest.dropFirst(3)
                skipSpace(&rest)
            }
            switch rest.first {
            case "<":
                let token = try bracketed(&rest, "<", ">")
                terms.append(Term(isNegated: isNegated, condition: .token(token)))
            case "[":
                let etag = try bracketed(&rest, "[", "]")
                terms.append(Term(isNegated: isNegated, condition: .etag(etag)))
            default: throw malformed
            }
            if terms.count > maximumLists { throw malformed }
        }
    }
}
