import AsyncHTTPClient
import CloudStorage
import NIOCore
import NIOHTTP1

/// A call as AsyncHTTPClient sends it, with its body's source opened.
struct PreparedRequest: Sendable {
    var request: HTTPClient.Request
    /// Where the body comes from, if that is a file too large to be sent in one piece.
    var source: FileBodySource?

    static func make(
        _ call: HTTPCall, userAgent: String
    ) async -> Result<PreparedRequest, CloudStorageError> {
        var headers = HTTPHeaders([("User-Agent", userAgent), ("Accept", "*/*")])
        headers.add(contentsOf: call.headers)
        var body: HTTPClient.Body?
        var file: FileBody?
        switch call.body {
        case .none: break
        case .form(let fields):
            headers.replaceOrAdd(
                name: "Content-Type", value: "application/x-www-form-urlencoded")
            body = .byteBuffer(ByteBuffer(string: FormEncoding.encode(fields)))
        case .multipart(let part):
            headers.replaceOrAdd(name: "Content-Type", value: part.contentType)
            file = FileBody(part)
        case .file(let content, let type):
            headers.replaceOrAdd(name: "Content-Type", value: type)
            file = FileBody(content: content)
        case .filePart(let content, let range, let type):
            headers.replaceOrAdd(name: "Content-Type", value: type)
            file = FileBody(content: content, range: range)
        case .bytes(let bytes, let type):
            headers.replaceOrAdd(name: "Content-Type", value: type)
            body = .byteBuffer(ByteBuffer(bytes: bytes))
        }
        var source: FileBodySource?
        if let file {
            switch await FileBodySource.open(file) {
            case .success(.whole(let bytes)): body = .byteBuffer(bytes)
            case .success(.stream(let opened)): (source, body) = (opened, opened.body)
            case .failure(let error): return .failure(error)
            }
        }
        do {
            let request = try HTTPClient.Request(
                url: call.url, method: HTTPMethod(rawValue: call.method.rawValue),
                headers: headers, body: body)
            return .success(PreparedRequest(request: request, source: source))
        } catch {
            return .failure(TransportFailure.classify(error))
        }
    }
}
