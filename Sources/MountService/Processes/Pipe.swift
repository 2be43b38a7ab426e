import Glibc

/// The two ends of a pipe, closed in children unless handed over.
struct Pipe: Sendable {
    let reading: Int32
    let writing: Int32

    init() throws(ServiceFailure) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .system("make a pipe") }
        ends.forEach(Descriptor.closeInChildren)
        reading = ends[0]
        writing = ends[1]
    }
}

/// Open files as numbers.
enum Descriptor {
    /// Sets FD_CLOEXEC, for calls that can't set it themselves.
    static func closeInChildren(_ descriptor: Int32) {
        _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
    }
}

/// Reads from pipes, sockets and terminals, with a deadline.
enum DescriptorReader {
    /// How a read ended.
    enum End: Sendable, Equatable {
        /// At the newline, which is not among the bytes.
        case newline
        case endOfFile
        case deadline
        /// More bytes than the limit.
        case tooLong
        case failed(Int32)
    }

    /// Blocks for one line of at most `limit` bytes; nil waits without a deadline.
    static func line(
        from descriptor: Int32, limit: Int, within seconds: Double?
    ) -> (bytes: [UInt8], end: End) {
        let deadline = seconds.map { ContinuousClock.now + .seconds($0) }
        var bytes: [UInt8] = []
        while bytes.count <= limit {
            let milliseconds: Int32
            if let deadline {
                let left = ContinuousClock.now.duration(to: deadline) / Duration.milliseconds(1)
                guard left > 0 else { return (bytes, .deadline) }
                milliseconds = Int32(min(left.rounded(.up), 1e9))
            } else {
                milliseconds = -1
            }
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let ready = poll(&entry, 1, milliseconds)
            if ready == 0 || (ready < 0 && errno == EINTR) { continue }
            guard ready > 0 else { return (bytes, .failed(errno)) }
            var byte: UInt8 = 0
            let count = read(descriptor, &byte, 1)
            if count < 0 && (errno == EINTR || errno == EAGAIN) { continue }
            guard count >= 0 else { return (bytes, .failed(errno)) }
            if count == 0 { return (bytes, .endOfFile) }
            if byte == UInt8(ascii: "\n") { return (bytes, .newline) }
            bytes.append(byte)
        }
        return (bytes, .tooLong)
    }
}
