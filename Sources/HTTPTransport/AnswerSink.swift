package import CloudStorage
import NIOCore
import Synchronization

/// Takes the body of an answer in pieces as they arrive, for answers that are too long to be held.
///
/// Calls come one after the other, on a thread of the transport that must not be kept waiting.
package protocol AnswerSink: AnyObject, Sendable {
    /// An answer begins. Where an attempt broke, the next one begins again and what was received
    /// before counts for nothing. True takes the body; false leaves it to `HTTPAnswer.body`.
    func begin(_ head: AnswerHead) -> Bool

    /// The next bytes, in order. Throwing ends the call with that error.
    func receive(_ bytes: UnsafeRawBufferPointer) throws(CloudStorageError)

    /// The body is complete.
    func finish() throws(CloudStorageError)
}

/// Says by the head of a 200 or 206 answer whether a download may go on; throws where it may not.
package typealias DownloadAdmission = @Sendable (AnswerHead) throws(CloudStorageError) -> Void

/// Hands the pieces of one answer to an `AnswerSink`, which can take another attempt at any time.
struct StreamDelivery: BodyDelivery {
    let sink: any AnswerSink

    var hasDelivered: Bool { false }

    func begin(_ head: AnswerHead) throws(CloudStorageError) -> Bool { sink.begin(head) }

    func receive(_ buffer: ByteBuffer) throws(CloudStorageError) {
        guard buffer.readableBytes > 0 else { return }
        try buffer.withUnsafeReadableBytes(typed: sink.receive)
    }

    func finish() throws(CloudStorageError) { try sink.finish() }
}
