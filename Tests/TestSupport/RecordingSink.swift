package import CloudStorage
import Synchronization

/// Keeps what a download delivers.
package final class RecordingSink: DownloadSink {
    private struct State {
        var begins: [(offset: Int64, totalSize: Int64?)] = []
        var bytes: [UInt8] = []
    }

    private let state = Mutex(State())
    private let failure: CloudStorageError?

    /// - Parameter failure: thrown instead of taking bytes, where given.
    package init(failingWith failure: CloudStorageError? = nil) { self.failure = failure }

    package var bytes: [UInt8] { state.withLock { $0.bytes } }
    package var beginCount: Int { state.withLock { $0.begins.count } }
    package var offset: Int64? { state.withLock { $0.begins.last?.offset } }
    package var totalSize: Int64? { state.withLock { $0.begins.last?.totalSize } }

    package func begin(offset: Int64, totalSize: Int64?) throws(CloudStorageError) {
        state.withLock { $0.begins.append((offset, totalSize)) }
    }

    package func receive(_ bytes: UnsafeRawBufferPointer) throws(CloudStorageError) {
        if let failure { throw failure }
        state.withLock { $0.bytes.append(contentsOf: bytes) }
    }
}
