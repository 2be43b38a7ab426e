import AsyncHTTPClient
import CloudStorage
import FileSystemTypes
import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// A request body made of a local file and what stands before and behind it.
struct FileBody: Sendable {
    var head: [UInt8] = []
    var content: LocalContent
    /// Of the content, what is sent.
    var range: ByteRange
    var tail: [UInt8] = []

    /// - Parameter range: within the content; nil for all of it.
    init(content: LocalContent, range: ByteRange? = nil) {
        self.content = content
        self.range = range ?? ByteRange(0, content.size)
    }

    init(_ part: MultipartFile) {
        self.init(content: part.content)
        head = part.head
        tail = part.tail
    }

    var totalSize: Int64 { Int64(head.count) + range.count + Int64(tail.count) }
}

/// Streams a body from the disk: one piece in memory at a time, read on NIO's file
/// threads, the next one only when the connection has taken the last.
final class FileBodySource: Sendable {
    private static let pieceSize: Int64 = 128 << 10

    /// The server has answered and does not want the rest.
    struct Stopped: Error {}

    private enum Sending {
        case notBegun
        case under(EventLoopPromise<Void>)
        case over
    }

    private let part: FileBody
    private let descriptor: Int32
    private let sending = Mutex(Sending.notBegun)

    /// Opens the file; it is closed when the last piece was sent or the request is dropped.
    /// - Throws: `localFile`.
    init(_ part: FileBody) throws(CloudStorageError) {
        self.part = part
        self.descriptor = Glibc.open(part.content.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CloudStorageError(.localFile, "can't open the file to upload: errno \(errno)")
        }
        var status = stat()
        // Before anything is sent: some servers keep the part of a file that has arrived.
        guard fstat(descriptor, &status) == 0, Int64(status.st_size) >= part.content.size else {
            throw CloudStorageError(.localFile, "the file to upload has become shorter")
        }
    }

    deinit { _ = Glibc.close(descriptor) }

    /// A body that is ready to be sent.
    enum Opened: Sendable {
        /// All of it: what fits into one piece is sent with the request's head.
        case whole(ByteBuffer)
        case stream(FileBodySource)
    }

    /// Opens the source on a file thread, never on the caller's.
    static func open(_ part: FileBody) async -> Result<Opened, CloudStorageError> {
        do {
            return try await NIOThreadPool.singleton.runIfActive {
                do throws(CloudStorageError) {
                    let source = try FileBodySource(part)
                    guard part.totalSize <= pieceSize else {
                        return Result<Opened, CloudStorageError>.success(.stream(source))
                    }
                    return .success(.whole(try source.whole()))
                } catch {
                    return .failure(error)
                }
            }
        } catch is CancellationError {
            return .failure(CloudStorageError(.cancelled, "cancelled"))
        } catch {
            return .failure(
                CloudStorageError(.localFile, "no thread opens the file to upload: \(error)"))
        }
    }

    var body: HTTPClient.Body {
        .stream(contentLength: part.totalSize) { writer in
            let done = MultiThreadedEventLoopGroup.singleton.any().makePromise(of: Void.self)
            guard self.begin(done) else { return done.futureResult }
            // An empty piece counts as sent like any other: a body may have no head and no tail.
            writer.write(.byteBuffer(ByteBuffer(bytes: self.part.head)))
                .flatMapWithEventLoop { _, loop in
                    let content = loop.makePromise(of: Void.self)
                    self.sendPiece(at: 0, to: writer, done: content)
                    return content.futureResult
                }
                .flatMap { writer.write(.byteBuffer(ByteBuffer(bytes: self.part.tail))) }
                .whenComplete { self.finish($0) }
            return done.futureResult
        }
    }

    /// Ends the body where it is, because the server has answered before it had all of it.
    ///
    /// AsyncHTTPClient takes no more of a body once an error status has come. It closes the
    /// connection when the answer has ended, and then waits for a body that it won't take.
    func stop() { finish(.failure(Stopped())) }

    private func begin(_ done: EventLoopPromise<Void>) -> Bool {
        let isStopped = sending.withLock { sending in
            if case .over = sending { return true }
            sending = .under(done)
            return false
        }
        if isStopped { done.fail(Stopped()) }
        return !isStopped
    }

    private func finish(_ result: Result<Void, any Error>) {
        let done = sending.withLock { sending -> EventLoopPromise<Void>? in
            defer { sending = .over }
            guard case .under(let done) = sending else { return nil }
            return done
        }
        done?.completeWith(result)
    }

    private func sendPiece(
        at offset: Int64, to writer: HTTPClient.Body.StreamWriter, done: EventLoopPromise<Void>
    ) {
        guard offset < part.range.count else { return done.succeed() }
        let count = Int(min(Self.pieceSize, part.range.count - offset))
        NIOThreadPool.singleton
            .runIfActive(eventLoop: done.futureResult.eventLoop) {
                try self.read(count, at: self.part.range.lowerBound + offset)
            }
            .flatMap { writer.write(.byteBuffer($0)) }
            .whenComplete { result in
                switch result {
                case .success: self.sendPiece(at: offset + Int64(count), to: writer, done: done)
                case .failure(let error): done.fail(error)
                }
            }
    }

    private func whole() throws(CloudStorageError) -> ByteBuffer {
        var buffer = ByteBuffer(bytes: part.head)
        var content = try read(Int(part.range.count), at: part.range.lowerBound)
        buffer.writeBuffer(&content)
        buffer.writeBytes(part.tail)
        return buffer
    }

    private func read(_ count: Int, at offset: Int64) throws(CloudStorageError) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: count)
        while buffer.readableBytes < count {
            var code: Int32 = 0
            let position = offset + Int64(buffer.readableBytes)
            let missing = count - buffer.readableBytes
            let got = buffer.writeWithUnsafeMutableBytes(minimumWritableBytes: missing) { space in
                let got = pread(descriptor, space.baseAddress, missing, off_t(position))
                code = got < 0 ? errno : 0
                return max(0, got)
            }
            guard got > 0 else {
                if code == EINTR { continue }
                throw CloudStorageError(.localFile, "the file to upload ended at byte \(position)")
            }
        }
        return buffer
    }
}
