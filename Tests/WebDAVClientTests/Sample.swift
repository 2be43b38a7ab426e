import CloudStorage
import FoundationEssentials
import HTTPTransport

@testable import WebDAVClient

/// Answers recorded from Nextcloud 34.0.1 and ownCloud 10.15.2.
enum Sample {
    /// A recorded body, byte for byte.
    static func bytes(_ name: String) throws -> [UInt8] {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        return Array(
            try Data(contentsOf: folder.appendingPathComponent("Samples/\(name)")))
    }

    /// The headers of a recorded answer.
    static func headers(_ name: String) throws -> [(String, String)] {
        let text = String(decoding: try bytes(name), as: UTF8.self)
        let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        let start = lines.firstIndex { $0.hasPrefix("----- response") } ?? lines.startIndex
        return lines[start...].dropFirst(2).prefix { !$0.isEmpty }.map { line in
            let halves = line.split(separator: ":", maxSplits: 1)
            return (String(halves[0]), String(halves[1].drop { $0 == " " }))
        }
    }

    /// A recorded error as the transport hands it over.
    static func answer(_ status: Int, _ name: String) throws -> HTTPAnswer {
        HTTPAnswer(status: status, headers: [], body: Data(try bytes(name)))
    }
}

/// Reads a multistatus answer that arrives in pieces of a size.
func entries(
    _ body: [UInt8], pieces: Int = .max, status: Int = 207
) throws(CloudStorageError) -> [ServerEntry] {
    let sink = MultistatusSink()
    _ = sink.begin(AnswerHead(status: status, headers: []))
    var rest = body[...]
    while !rest.isEmpty {
        let piece = Array(rest.prefix(pieces))
        rest = rest.dropFirst(piece.count)
        let result = piece.withUnsafeBytes { bytes -> Result<Void, CloudStorageError> in
            do throws(CloudStorageError) {
                return .success(try sink.receive(bytes))
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }
    try sink.finish()
    return sink.takeEntries()
}

/// A multistatus document of one response, whose properties are `properties`.
func document(href: String = "/dav/a", _ properties: String = "") -> String {
    """
    <?xml version="1.0"?><D:multistatus xmlns:D="DAV:"><D:response><D:href>\(href)</D:href>\
    <D:propstat><D:prop>\(properties)</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>\
    </D:response></D:multistatus>
    """
}

/// The kind of error that `body` throws; nil where it throws none.
func kind<Value>(
    _ body: () throws(CloudStorageError) -> Value
) -> CloudStorageError.Kind? {
    do throws(CloudStorageError) {
        _ = try body()
        return nil
    } catch {
        return error.kind
    }
}
