import Foundation

/// The examples of the two documents, as `Documents` has them.
struct DocumentExample: Sendable {
    /// The heading above it.
    var title: String
    var method: String
    /// Below the server's address.
    var path: String
    var body: String
    /// The documented answer; empty where the page has none.
    var answer: String

    /// ownCloud's, in the order of the document. Quotes and commas around arguments are the page's.
    static func owncloud() throws -> [DocumentExample] {
        try sections("Documents/owncloud-v1.txt").map { lines in
            let words = lines[1].split(separator: " ")
            let url = words[1]
            let start = try require(url.range(of: "/ocs/")?.lowerBound)
            let fields = words.dropFirst(2).filter { $0 != "-d" }.map { word in
                word.filter { $0 != "\"" && $0 != "," }.replacing("@", with: "%40")
            }
            return DocumentExample(
                title: String(lines[0]), method: String(words[0]), path: String(url[start...]),
                body: fields.joined(separator: "&"),
                answer: lines[2...].joined(separator: "\n"))
        }
    }

    /// Leviia's.
    static func leviia() throws -> [DocumentExample] {
        try sections("Documents/leviia-v2.txt").map { lines in
            let words = lines[1].split(separator: " ")
            return DocumentExample(
                title: String(lines[0]), method: String(words[0]), path: String(words[1]),
                body: lines.count > 2 ? String(lines[2]) : "", answer: "")
        }
    }

    private static func sections(_ name: String) throws -> [[Substring]] {
        let text = try RecordedExchange.text(name)
        var sections: [[Substring]] = []
        for line in text.split(separator: "\n") where !line.hasPrefix("# ") {
            if line.hasPrefix("## ") {
                sections.append([line.dropFirst(3)])
            } else if !sections.isEmpty {
                sections[sections.count - 1].append(line)
            }
        }
        return sections
    }

    private struct Missing: Error {}

    private static func require<Value>(_ value: Value?) throws -> Value {
        guard let value else { throw Missing() }
        return value
    }
}
