import LeitzCloudAPI

/// Compares an answer with the document's example of it: every field of the example is there and
/// has the example's type; the fields `type` have its value, dates and sizes its form.
struct DocumentedShape {
    let document: APIDocument
    /// Fields that are only there where the request asks for them, and was not asked.
    var absent: Set<String> = []
    /// Fields of which the example has one of several: null, or a value, by what happened.
    var nullable: Set<String> = []

    func differences(_ documented: JSONValue, _ given: JSONValue, at place: String = "")
        -> [String]
    {
        switch (documented, given) {
        // Null says nothing of the type.
        case (.null, _): return []
        case (.object(let fields), .object(let found)):
            return object(fields, found, place)
        case (.list(let elements), .list(let found)): return list(elements, found, place)
        case (.text(let text), .text(let found)): return self.text(text, found, place)
        case (.text(""), .integer) where Self.isUntyped(place): return []
        case (.flag, .flag), (.integer, .integer), (.number, .number): return []
        default: return ["\(place) is \(given), not as \(documented)"]
        }
    }

    /// The document gives these fields no type, and its example has no value of them.
    private static func isUntyped(_ place: String) -> Bool {
        ["deactivate_token_frequency", "purge_deleted_frequency", "trim_revisions_x"]
            .contains { place.hasSuffix("/" + $0) }
    }

    private func object(
        _ fields: [String: JSONValue], _ found: [String: JSONValue], _ place: String
    )
        -> [String]
    {
        if case .text(let words)? = fields["..."] {
            // Dots alone say nothing of what is left out.
            if words.isEmpty { return [] }
            guard let object = document.object(for: words) else { return ["what is \(words)?"] }
            return differences(object, .object(found), at: place)
        }
        return fields.sorted { $0.key < $1.key }.flatMap { name, value -> [String] in
            let inner = "\(place)/\(name)"
            guard let other = found[name] else {
                return absent.contains(name) ? [] : ["\(inner) is missing"]
            }
            if other == .null, nullable.contains(name) { return [] }
            if name.hasSuffix("_formatted") { return formatted(value, other, inner) }
            if name == "type" { return value == other ? [] : ["\(inner) is \(other)"] }
            return differences(value, other, at: inner)
        }
    }

    private func list(_ elements: [JSONValue], _ found: [JSONValue], _ place: String) -> [String] {
        guard let first = elements.first else { return [] }
        if first == .text("...") { return [] }
        if found.isEmpty { return ["\(place) is empty"] }
        if case .text(let dots) = first, dots.hasPrefix("...") {
            let words = String(dots.dropFirst(3))
            if Self.mixedItems.contains(words) { return items(found, place) }
            guard let object = document.object(for: words) else { return ["what is \(words)?"] }
            return found.flatMap { differences(object, $0, at: place + "[]") }
        }
        if Set(elements.map(kind)).count > 1 {
            guard elements.count == found.count else { return ["\(place) has \(found.count)"] }
            return zip(elements, found).flatMap { differences($0, $1, at: place + "[]") }
        }
        return found.flatMap { differences(first, $0, at: place + "[]") }
    }

    private static let mixedItems = ["child files and folders", "file and folder metadata"]

    /// Files and folders side by side: each as the example of its `type`.
    private func items(_ found: [JSONValue], _ place: String) -> [String] {
        found.flatMap { item -> [String] in
            guard case .object(let fields) = item, let type = fields["type"] else {
                return ["\(place)[] has no type"]
            }
            let words = type == .text("file") ? "file metadata" : "folder metadata"
            guard let object = document.object(for: words) else { return ["no \(words)"] }
            var inner = self
            // A child comes without its own children.
            inner.absent.formUnion(["children", "hash"])
            return inner.differences(object, item, at: place + "[]")
        }
    }

    private func kind(_ value: JSONValue) -> String {
        switch value {
        case .null: "null"
        case .flag: "flag"
        case .integer: "integer"
        case .number: "number"
        case .text: "text"
        case .list: "list"
        case .object: "object"
        }
    }

    private func text(_ documented: String, _ given: String, _ place: String) -> [String] {
        let isDate = WireDate.parse(documented) != nil
        let isGood = !isDate || given.count == documented.count && WireDate.parse(given) != nil
        return isGood ? [] : ["\(place) is '\(given)', not as '\(documented)'"]
    }

    /// `11.92k` and `385.91 KB`: a number, and a unit with a space before it or none.
    private func formatted(_ documented: JSONValue, _ given: JSONValue, _ place: String)
        -> [String]
    {
        guard case .text(let example) = documented, case .text(let text) = given,
            text.first?.isNumber == true, text.last?.isLetter == true,
            example.contains(" ") == text.contains(" ")
        else { return ["\(place) is \(given), not as \(documented)"] }
        return []
    }
}
