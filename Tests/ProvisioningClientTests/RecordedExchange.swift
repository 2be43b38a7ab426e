import FoundationEssentials
import TestSupport

/// A request to a real server and its answer, as `Samples` has them.
struct RecordedExchange: Sendable {
    var method: String
    /// With the query.
    var path: String
    var requestBody: String
    var status: Int
    var headers: [(String, String)]
    var body: [UInt8]

    static func bytes(_ name: String) throws -> [UInt8] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        return Array(try Data(contentsOf: folder.appendingPathComponent(name)))
    }

    static func text(_ name: String) throws -> String {
        String(decoding: try bytes(name), as: UTF8.self)
    }

    /// - Parameter name: such as `nextcloud/ocs1_user_add`.
    init(_ name: String) throws {
        let text = try Self.text("Samples/\(name).http.txt")
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let middle = try unwrap(lines.firstIndex { $0.hasPrefix("----- response") })
        let request = lines[0].split(separator: " ")
        method = String(request[0])
        path = String(request[1])
        let requestLines = lines[..<middle]
        let end = requestLines.firstIndex { $0.isEmpty } ?? middle
        requestBody = requestLines[end...].joined(separator: "\n")
            .filter { $0 != "\n" }
        let answer = lines[(middle + 1)...]
        let statusLine = try unwrap(answer.first)
        status = Int(statusLine.split(separator: " ")[1]) ?? 0
        let answerEnd = answer.firstIndex { $0.isEmpty } ?? answer.endIndex
        headers = answer[(answer.startIndex + 1)..<answerEnd].compactMap { line in
            let halves = line.split(separator: ":", maxSplits: 1)
            guard halves.count == 2, halves[0].lowercased() != "content-length" else { return nil }
            return (String(halves[0]), String(halves[1].drop { $0 == " " }))
        }
        body = Array(answer[answerEnd...].dropFirst().joined(separator: "\n").utf8)
    }

    var scripted: ScriptedAnswer { .answer(status, headers: headers, body: body) }
}

private struct Missing: Error {}

/// The value; throws where there is none.
private func unwrap<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw Missing() }
    return value
}
