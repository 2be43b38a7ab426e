import AsyncHTTPClient
import CloudStorage
import NIOCore
import NIOHTTP1

/// A call as AsyncHTTPClient sends it, with its body's source opened.
struct PreparedRequest: Sendable {
    var request: HTTPClient.Request
    /// Where the body comes from, if that is a file.
    var source: FileBodySource?

    static func make(
        _ call: HTTPCall, userAgent: String
    ) async -> Result<PreparedRequest, CloudStorageError> {
        var headers = HTTPHeaders([("User-Agent", userAgent), ("Accept", "*/*")])
        headers.add(contentsOf: call.headers)
        var body: HTTPClient.Body?
        var source: FileBodySource?
        switch call.body {
        case .none: break
        case .form(let fields):
            headers.replaceOrAdd(
                name: "Content-Type", value: "application/x-www-form-urlencoded")
            body = .byteBuffer(ByteBuffer(string: FormEncoding.encode(fields)))
        case .multipart(let part):
            headers.replaceOrAdd(name: "Content-Type", value: part.contentType)
            switch await FileBodySource.open(FileBody(part)) {
            case .success(let opened): source = opened
            case .failure(let error): return .failure(error)
            }
        case .file(let content, let type):
            headers.replaceOrAdd(name: "Content-Type", value: type)
            switch await FileBodySource.open(FileBody(content: content)) {
            case .success(let opened): source = opened
            case .failure(let error): return .failure(error)
            }
        case .filePart(let content, let range, let type):
            headers.replaceOrAdd(name: "Content-Type", value: type)
            switch await FileBodySource.open(FileBody(content: content, range: range)) {
            case .success(let opened): source = opened
            case .failure(let error): return .failure(error)
            }
        case .bytes(let bytes, let type):
            headers.replaceOrAdd(name: "Content-Type", value: type)
            body = .byteBuffer(ByteBuffer(bytes: bytes))
        }
        do {
            let request = try HTTPClient.Request(
                url: call.url, method: HTTPMethod(rawValue: call.method.rawValue),
                headers: headers, body: source?.body ?? body)
            return .success(PreparedRequest(request: request, source: source))
        } catch {
            return .failure(TransportFailure.classify(error))
        }
    }
}
