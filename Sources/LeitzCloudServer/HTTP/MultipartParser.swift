import Glibc
import NIOCore

/// Reads `multipart/form-data` (RFC 7578) piece by piece; holds no more than one piece and one
/// delimiter. A struct without I/O: bytes in with `feed`, events out with `next`.
struct MultipartParser {
    enum Event: Equatable {
        case partBegan(MultipartHeaders)
        case data(ByteBuffer)
        case partEnded
        /// The closing delimiter was read: the body is complete. What follows is ignored.
        case finished
    }

    static let maximumHeaderSize = 16 * 1024
    static let maximumParts = 100

    private enum State {
        case preamble
        /// Behind a delimiter, where `--` or the end of the line follows.
        case delimiter
        case headers
        case body
        case epilogue
    }

    private let delimiter: [UInt8]
    private var pending: ByteBuffer
    private var state = State.preamble
    private var parts = 0

    /// - Parameter boundary: the parameter of the `Content-Type` header.
    init(boundary: String) {
        delimiter = Array("\r\n--\(boundary)".utf8)
        // The first delimiter may open the body, without a line end before it.
        pending = ByteBuffer(string: "\r\n")
    }

    mutating func feed(_ bytes: ByteBuffer) {
        if state == .epilogue { return }
        pending.discardReadBytes()
        pending.writeImmutableBuffer(bytes)
    }

    /// The next event, nil when more bytes are needed.
    mutating func next() throws(APIError) -> Event? {
        while true {
            switch state {
            case .preamble:
                guard let distance = distanceToDelimiter() else {
                    dropUpToDelimiter()
                    return nil
                }
                pending.moveReaderIndex(forwardBy: distance + delimiter.count)
                state = .delimiter
            case .delimiter:
                guard pending.readableBytes >= 2 else { return nil }
                if pending.getString(at: pending.readerIndex, length: 2) == "--" {
                    state = .epilogue
                    pending.clear()
                    return .finished
                }
                state = .headers
            case .headers:
                guard let headers = try readHeaders() else { return nil }
                parts += 1
                if parts > Self.maximumParts { throw .malformedBody }
                state = .body
                return .partBegan(headers)
            case .body: return readBody()
            case .epilogue: return nil
            }
        }
    }

    /// The line end of the delimiter line is still there, so that a part without headers reads as
    /// two line ends too.
    private mutating func readHeaders() throws(APIError) -> MultipartHeaders? {
        guard let end = distance(to: Array("\r\n\r\n".utf8)) else {
            if pending.readableBytes > Self.maximumHeaderSize { throw .malformedBody }
            return nil
        }
        guard end <= Self.maximumHeaderSize, let bytes = pending.readBytes(length: end) else {
            throw .malformedBody
        }
        pending.moveReaderIndex(forwardBy: 4)
        return try MultipartHeaders(bytes)
    }

    private mutating func readBody() -> Event? {
        if let distance = distanceToDelimiter() {
            if distance > 0, let data = pending.readSlice(length: distance) { return .data(data) }
            pending.moveReaderIndex(forwardBy: delimiter.count)
            state = .delimiter
            return .partEnded
        }
        let safe = pending.readableBytes - (delimiter.count - 1)
        guard safe > 0 else { return nil }
        return pending.readSlice(length: safe).map { .data($0) }
    }

    private mutating func dropUpToDelimiter() {
        let safe = pending.readableBytes - (delimiter.count - 1)
        if safe > 0 { pending.moveReaderIndex(forwardBy: safe) }
    }

    private func distanceToDelimiter() -> Int? { distance(to: delimiter) }

    private func distance(to pattern: [UInt8]) -> Int? {
        pending.withUnsafeReadableBytes { raw in
            guard let base = raw.baseAddress, raw.count >= pattern.count else { return nil }
            var offset = 0
            let last = raw.count - pattern.count
            while offset <= last {
                guard let hit = memchr(base + offset, Int32(pattern[0]), last - offset + 1) else {
                    return nil
                }
                offset = UnsafeRawPointer(hit) - base
                if memcmp(hit, pattern, pattern.count) == 0 { return offset }
                offset += 1
            }
            return nil
        }
    }
}

extension MultipartParser {
    /// The boundary of a `Content-Type` header, nil where it names no multipart form.
    static func boundary(ofContentType header: String?) -> String? {
        guard let header, header.lowercased().hasPrefix("multipart/") else { return nil }
        let parameters = HeaderParameters(header)
        guard let boundary = parameters["boundary"], (1...200).contains(boundary.utf8.count) else {
            return nil
        }
        return boundary
    }
}
