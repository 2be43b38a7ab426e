import CFuse3
import Glibc
import Logging
import Synchronization

/// What libfuse has to say. It knows one receiver a process.
enum LibfuseLog {
    private struct State {
        var logger: Logger?
        var lines: [String] = []
    }

    private static let capacity = 16
    private static let state = Mutex(State())

    /// Sends libfuse's messages to a logger from now on.
    static func send(to logger: Logger) {
        state.withLock { $0.logger = logger }
        fuse_set_log_func { level, format, arguments in
            guard let format, let arguments else { return }
            var text = [CChar](repeating: 0, count: 1024)
            vsnprintf(&text, text.count, format, arguments)
            let bytes = text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
            LibfuseLog.receive(String(decoding: bytes, as: UTF8.self), level)
        }
    }

    /// The messages since the last call.
    static func takeLines() -> [String] {
        state.withLock { state in
            defer { state.lines = [] }
            return state.lines
        }
    }

    private static func receive(_ message: String, _ level: fuse_log_level) {
        let line = String(message.drop { $0 == "\n" }.prefix { $0 != "\n" })
        guard !line.isEmpty else { return }
        let isError = level.rawValue <= FUSE_LOG_WARNING.rawValue
        let logger = state.withLock { state in
            if isError {
                state.lines.append(line)
                if state.lines.count > capacity { state.lines.removeFirst() }
            }
            return state.logger
        }
        logger?.log(level: isError ? .warning : .debug, "libfuse: \(line)")
    }
}
