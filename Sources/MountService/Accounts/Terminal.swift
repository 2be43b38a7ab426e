import Glibc

/// Questions to the person at the terminal. Its calls block: use them through `BlockingWork`.
package enum Terminal {
    private static let limit = 1024

    /// Whether there is somebody to ask.
    package static var isPresent: Bool {
        let descriptor = open("/dev/tty", O_RDWR | O_CLOEXEC)
        if descriptor >= 0 { close(descriptor) }
        return descriptor >= 0
    }

    /// Asks for one line that everybody may see.
    package static func ask(_ question: String) throws(ServiceFailure) -> String {
        let descriptor = try openTerminal()
        defer { close(descriptor) }
        show(question, on: descriptor)
        let (bytes, end) = DescriptorReader.line(from: descriptor, limit: limit, within: nil)
        guard end == .newline, let text = String(validating: bytes, as: UTF8.self) else {
            throw ServiceFailure("no answer was given")
        }
        return text
    }

    /// Asks for one line without showing what is typed.
    static func askSecretly(_ question: String) throws(ServiceFailure) -> [UInt8] {
        let descriptor = try openTerminal()
        defer { close(descriptor) }
        var before = termios()
        guard tcgetattr(descriptor, &before) == 0 else {
            throw .system("read the terminal's settings")
        }
        var silent = before
        // Without signals, so that Ctrl-C can't leave the terminal silent; it is read as a byte.
        silent.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        guard tcsetattr(descriptor, TCSAFLUSH, &silent) == 0 else {
            throw .system("silence the terminal")
        }
        defer {
            tcsetattr(descriptor, TCSAFLUSH, &before)
            show("\n", on: descriptor)
        }
        show(question, on: descriptor)
        return try readSecret(from: descriptor)
    }

    private static func readSecret(from descriptor: Int32) throws(ServiceFailure) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < limit {
            var byte: UInt8 = 0
            let count = read(descriptor, &byte, 1)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw ServiceFailure("the terminal was closed") }
            switch byte {
            case 3, 4: throw ServiceFailure("cancelled")
            case 10, 13: return bytes
            case 8, 127:
                // A whole character, which may be several bytes of UTF-8.
                while let last = bytes.popLast(), last & 0xC0 == 0x80 {}
            case 21: bytes = []
            default: bytes.append(byte)
            }
        }
        throw ServiceFailure("the answer is too long")
    }

    private static func openTerminal() throws(ServiceFailure) -> Int32 {
        let descriptor = open("/dev/tty", O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw ServiceFailure(
                "there is no terminal to ask on",
                remedy: "Pass the password with --password-stdin or --password-command.")
        }
        return descriptor
    }

    private static func show(_ text: String, on descriptor: Int32) {
        let bytes = Array(text.utf8)
        _ = write(descriptor, bytes, bytes.count)
    }
}
