import Foundation
import LeitzCloudAPI

/// The examples of the API document, as `Documents` has them.
struct APIDocument: Sendable {
    /// An answer that the document shows.
    struct Answer: Sendable {
        var status: Int
        /// Nil where none is shown, and where it is no JSON.
        var body: JSONValue?
        /// Whether bytes are shown instead of JSON.
        var isBinary = false
    }

    /// An error with the sentence above it.
    struct Failure: Sendable {
        var title: String
        var answer: Answer
    }

    /// A request with what the document says of it.
    struct Method: Sendable {
        /// Such as `GET /api/2/group/<group_id>`.
        var line: String
        var fields: [String] = []
        var answers: [Answer] = []
        var failures: [Failure] = []
    }

    private(set) var objects: [String: JSONValue] = [:]
    private(set) var methods: [Method] = []
    /// Errors that any method of a chapter can have.
    private(set) var failures: [String: [Failure]] = [:]

    /// What the words in the place of an object stand for.
    private static let placeholders = [
        "a backup object": "Backup-Objekt", "a file object": "Datei/ File-Objekt",
        "a folder object": "Ordner-Objekt", "a group object": "Gruppe-Objekt",
        "a guest object": "Gast-Objekt", "a machine object": "Gerät-Objekt",
        "a machine_mapping object": "Geräte-mapping-Objekt", "a person object": "Person-Objekt",
        "a policy object": "Richtlinien-Objekt", "a root object": "Root-Objekt",
        "an activity object": "Aktivitäts-Objekt",
        "an organization object": "Organisations-Objekt",
        "an organization usage object": "Nutzungsobjekt der Organisation",
        "a root space usage object": "Root-Space Nutzungs Objekt",
        "an organization usage counts object": "Organizations Nutzungszähler Objekt",
        "backup objects": "Backup-Objekt", "file metadata": "Datei/ File-Objekt",
        "folder metadata": "Ordner-Objekt", "file share objects": "File-Share Objekt",
        "machine_mapping objects": "Geräte-mapping-Objekt",
        // The list of types is meant.
        "a list of activity objects": "Aktivitätenart-Objekt",
        "up to 100 activity objects in reverse chronological order": "Aktivitäts-Objekt",
        "up to 100 authentication source objects": "Authentifizierungs-Quellobjekt",
        "up to 100 group objects": "Gruppe-Objekt", "up to 100 guest objects": "Gast-Objekt",
        "up to 100 machine objects": "Gerät-Objekt",
        "up to 100 organization objects": "Organisations-Objekt",
        "up to 100 person objects": "Person-Objekt", "up to 100 root objects": "Root-Objekt",
    ]

    /// The object in whose place words stand; nil for words that don't say which one.
    func object(for words: String) -> JSONValue? {
        Self.placeholders[words].flatMap { objects[$0] }
    }

    /// Reads the document that is carried with the tests.
    static func read() throws -> APIDocument {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Documents/leitzcloud-v2.txt")
        let text = try String(contentsOf: file, encoding: .utf8)
        var lines = text.split(separator: "\n").map(String.init)[...]
        var document = APIDocument()
        while let line = lines.popFirst() {
            guard line.hasPrefix("## ") else { continue }
            var heads = [String(line.dropFirst(3))]
            while let next = lines.first, next.hasPrefix("## "), heads[0].hasPrefix("GET ") {
                heads.append(String(next.dropFirst(3)))
                lines.removeFirst()
            }
            let end = lines.firstIndex { $0.hasPrefix("## ") } ?? lines.endIndex
            try document.add(heads, lines[..<end])
            lines = lines[end...]
        }
        return document
    }

    private mutating func add(_ heads: [String], _ lines: ArraySlice<String>) throws {
        let words = heads[0].split(separator: " ", maxSplits: 1).map(String.init)
        var lines = lines
        switch words[0] {
        case "object": objects[words[1]] = try Self.body(&lines)
        case "errors":
            failures[words[1]] = try Self.method("", &lines).failures
        default:
            let method = try Self.method(heads[0], &lines)
            for head in heads {
                var each = method
                each.line = head
                methods.append(each)
            }
        }
    }

    private static func method(_ line: String, _ lines: inout ArraySlice<String>) throws -> Method {
        var method = Method(line: line)
        var title: String?
        while let line = lines.popFirst() {
            if line.hasPrefix("- ") {
                method.fields.append(String(line.dropFirst(2)))
            } else if line.hasPrefix("! ") {
                title = String(line.dropFirst(2))
            } else if let status = Int(line) {
                var answer = Answer(status: status)
                if lines.first == "{" { answer.body = try body(&lines) }
                if lines.first?.hasPrefix("<") == true {
                    answer.isBinary = true
                    lines.removeFirst()
                }
                if let title {
                    method.failures.append(Failure(title: title, answer: answer))
                } else {
                    method.answers.append(answer)
                }
            } else {
                throw NotUnderstood(line: line)
            }
        }
        return method
    }

    /// Takes one JSON object; words in dots become a member `...`, or an element with the dots.
    private static func body(_ lines: inout ArraySlice<String>) throws -> JSONValue {
        var text = ""
        while let line = lines.popFirst() {
            let words = line.trimmingCharacters(in: .whitespaces)
            if words.hasPrefix("...") {
                let inner = words.trimmingCharacters(in: CharacterSet(charactersIn: "."))
                text += text.hasSuffix("{") ? "\"...\":\"\(inner)\"" : "\"...\(inner)\""
            } else {
                text += words
            }
            if line == "}" { break }
        }
        return try JSONDecoder().decode(JSONValue.self, from: Data(text.utf8))
    }

    struct NotUnderstood: Error {
        var line: String
    }
}
