import CloudStorage
import HTTPTransport
import Synchronization

/// Collects the entries of a 207 answer while it arrives. Other answers are left to the caller.
final class MultistatusSink: AnswerSink {
    /// No folder has more; a server that sends more means harm.
    static let maximumEntries = 1_000_000
    /// Bytes of a whole answer.
    static let maximumSize = 1 << 30

    /// A reader that nobody uses but under the lock.
    private struct GuardedReader: @unchecked Sendable {
        let reader = DAVAnswerReader()
    }

    private struct State {
        var guarded: GuardedReader?
        var entries: [ServerEntry] = []
        var received = 0
    }

    private let state = Mutex(State())

    init() {}

    /// What came, in the server's order. To be called once the call has ended.
    func takeEntries() -> [ServerEntry] {
        state.withLock { state in
            defer { state.entries = [] }
            return state.entries
        }
    }

    func begin(_ head: AnswerHead) -> Bool {
        guard head.status == 207 else { return false }
        state.withLock { state in
            state = State()
            state.guarded = GuardedReader()
        }
        return true
    }

    func receive(_ bytes: UnsafeRawBufferPointer) throws(CloudStorageError) {
        try state.withLock { state throws(CloudStorageError) in
            state.received += bytes.count
            guard state.received <= Self.maximumSize else {
                throw CloudStorageError(.invalidAnswer, "the answer is too long")
            }
            guard let reader = state.guarded?.reader else { return }
            try reader.feed(bytes)
            for response in reader.takeResponses() {
                state.entries += ServerEntry.entries(of: response)
            }
            guard state.entries.count <= Self.maximumEntries else {
                throw CloudStorageError(.invalidAnswer, "the answer has too many entries")
            }
        }
    }

    func finish() throws(CloudStorageError) {
        try state.withLock { state throws(CloudStorageError) in
            guard let reader = state.guarded?.reader else {
                throw CloudStorageError(.invalidAnswer, "a multistatus answer without a body")
            }
            try reader.finish()
            guard reader.isMultistatus else {
                throw CloudStorageError(.invalidAnswer, "the answer is no multistatus document")
            }
            state.guarded = nil
        }
    }
}
