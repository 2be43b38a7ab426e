import Dispatch
import Glibc

/// Tells when a file was written to, by inotify: local files only, never what a server changes.
package final class FileWatch {
    /// The kernel has no more watches to give.
    package struct Refused: Error {
        let path: String
        let code: Int32
    }

    private let source: any DispatchSourceRead

    /// Watches from now on.
    /// - Parameter written: called on a queue of its own after one or more writes.
    package init(_ path: String, written: @escaping @Sendable () -> Void) throws {
        let descriptor = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard descriptor >= 0 else { throw Refused(path: path, code: errno) }
        guard inotify_add_watch(descriptor, path, UInt32(IN_MODIFY)) >= 0 else {
            let code = errno
            _ = close(descriptor)
            throw Refused(path: path, code: code)
        }
        let source = DispatchSource.makeReadSource(
            fileDescriptor: descriptor, queue: DispatchQueue(label: "ordner.test.file-watch"))
        source.setEventHandler { @Sendable in
            var events = [UInt8](repeating: 0, count: 4096)
            // What the events say is known: one file, one sort.
            while read(descriptor, &events, events.count) > 0 {}
            written()
        }
        source.setCancelHandler { @Sendable in _ = close(descriptor) }
        source.resume()
        self.source = source
    }

    /// Ends the watch; must be called once.
    package func cancel() { source.cancel() }
}
