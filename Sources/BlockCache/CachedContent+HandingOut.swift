package import FileSystemTypes
import Glibc
import Synchronization

/// Local files that others than the cache read, without its looking at each read.
extension CachedContent {
    /// Whether the local file is the content: complete, checked since the cache was opened, stood by by
    /// the server, and of the right size. Asks the local disk for the size.
    package var canBeHandedOut: Bool {
        let isReady = state.withLock { state in
            state.map.isVerified && state.map.isConfirmed && !state.isStale && !state.isForgotten
                && !state.isClosed
        }
        guard isReady else { return false }
        do throws(FileSystemError) {
            return try file.length() == size
        } catch {
            return false
        }
    }

    /// Whether all that lacks for this is the server's word that it still has the version, which is under
    /// way.
    var awaitsConfirmation: Bool {
        state.withLock { state in
            guard case .running = state.confirmation else { return false }
            return state.map.isVerified && !state.map.isConfirmed && !state.isStale
        }
    }

    /// Gives up the right to write to the local file, so that who else has it open for writing can be
    /// told. Only of one that `canBeHandedOut`: nothing of it is written or cut any more.
    package func becomeReadOnly() throws(FileSystemError) {
        guard fcntl(file.descriptor, F_GETFL) & O_ACCMODE != O_RDONLY else { return }
        let reader = try ContentFile.open("/proc/self/fd/\(file.descriptor)", flags: O_RDONLY)
        guard LinuxFileCalls.duplicate(reader.descriptor, onto: file.descriptor) >= 0 else {
            throw .disk("dup3", errno)
        }
    }

    /// Counts one more use of a content in use, which ends with a `release` of its own.
    package func retain() { state.withLock { $0.readers += 1 } }

    /// Reads from the local file as it is by now; returns the count, short at its end.
    package func readHandedOut(
        at offset: Int64, into buffer: UnsafeMutableRawBufferPointer
    ) throws(FileSystemError) -> Int { try file.read(into: buffer, at: offset) }
}
