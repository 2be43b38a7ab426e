import CFuse3
import Glibc
import Logging
import Synchronization

/// What libfuse has to say. It knows one receiver a process.
enum LibfuseLog {
    private struct State {
        var logger: Logger?
        var lines: [String] = []
        var unfinished = ""
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

    /// Takes a piece of a message; the last one ends with a line feed.
    private static func receive(_ text: String, _ level: fuse_log_level) {
        let isError = level.rawValue <= FUSE_LOG_WARNING.rawValue
        let (line, logger) = state.withLock { state -> (String, Logger?) in
            state.unfinished += text
            guard text.hasSuffix("\n") || state.unfinished.utf8.count > 4096 else {
                return ("", nil)
            }
            let line = state.unfinished.filter { $0 != "\n" }
            state.unfinished = ""
            if isError, !line.isEmpty {
                state.lines.append(line)
                if state.lines.count > capacity { state.lines.removeFirst() }
            }
            return (line, line.isEmpty ? nil : state.logger)
        }
        logger?.log(level: isError ? .warning : .debug, "libfuse: \(line)")
    }
}
