import HummingbirdCore
import NIOCore

/// Reads a request's body. A client that goes away in its middle is no failure of the server:
/// it shows as `ConnectionDropped`.
struct BodyPieces {
    private var iterator: RequestBody.AsyncIterator

    /// A body can be read once.
    init(_ request: Request) { iterator = request.body.makeAsyncIterator() }

    mutating func next() async throws(ConnectionDropped) -> ByteBuffer? {
        do {
            return try await iterator.next()
        } catch {
            throw ConnectionDropped()
        }
    }

    /// The whole body; throws `invalid_request` where it is longer than the limit.
    static func collect(_ request: Request, limit: Int) async throws -> ByteBuffer {
        var pieces = BodyPieces(request)
        var body = ByteBuffer()
        while let piece = try await pieces.next() {
            body.writeImmutableBuffer(piece)
            if body.readableBytes > limit { throw APIError.malformedBody }
        }
        return body
    }
}
