import HTTPTypes
import HummingbirdCore
import NIOCore

/// Thrown to close a connection without (more of) an answer.
struct ConnectionDropped: Error {}

extension ResponseBody {
    /// This body up to a number of bytes; then the connection is closed.
    func cut(after bytes: Int) -> ResponseBody {
        let body = self
        return ResponseBody(contentLength: contentLength) { writer in
            try await body.write(LimitedWriter(parent: writer, remaining: bytes, padding: nil))
        }
    }

    /// This body, cut or filled with zeros to a length.
    func resized(to length: Int) -> ResponseBody {
        let body = self
        return ResponseBody(contentLength: length) { writer in
            try await body.write(LimitedWriter(parent: writer, remaining: length, padding: 0))
        }
    }
}

/// Passes on a limited number of bytes.
private struct LimitedWriter: ResponseBodyWriter {
    var parent: any ResponseBodyWriter
    var remaining: Int
    /// Filled up with this byte at the end; nil to close the connection at the limit instead.
    let padding: UInt8?

    mutating func write(_ buffer: ByteBuffer) async throws {
        var buffer = buffer
        if let part = buffer.readSlice(length: min(remaining, buffer.readableBytes)) {
            remaining -= part.readableBytes
            if part.readableBytes > 0 { try await parent.write(part) }
        }
        if padding == nil, remaining == 0 { throw ConnectionDropped() }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        guard let padding else { throw ConnectionDropped() }
        var parent = parent
        if remaining > 0 {
            try await parent.write(ByteBuffer(repeating: padding, count: remaining))
        }
        try await parent.finish(trailingHeaders)
    }
}
