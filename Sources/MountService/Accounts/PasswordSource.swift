import Glibc

/// Where a password comes from: never from the command line, which every user can read.
package enum PasswordSource: Sendable, Hashable {
    /// Asked on the terminal, without showing it.
    case terminal
    /// The first line of standard input.
    case standardInput
    /// The first line that a shell command prints.
    case command(String)
    /// The first line of a file.
    case file(String)
    /// Known already.
    case value(String)

    private static let limit = 4096

    /// Reads the password. Blocks: call it through `BlockingWork`.
    package func read(prompt: String) throws(ServiceFailure) -> String {
        let bytes =
            switch self {
            case .terminal: try Terminal.askSecretly(prompt)
            case .standardInput: try Self.firstLine(of: STDIN_FILENO, source: "standard input")
            case .command(let command): try Self.output(of: command)
            case .file(let path): try Self.firstLine(ofFile: path)
            case .value(let password): Array(password.utf8)
            }
        guard !bytes.isEmpty, let password = String(validating: bytes, as: UTF8.self) else {
            throw ServiceFailure("the password is empty or not UTF-8")
        }
        return password
    }

    private static func firstLine(
        of descriptor: Int32, source: String
    ) throws(ServiceFailure) -> [UInt8] {
        let (bytes, end) = DescriptorReader.line(from: descriptor, limit: limit, within: nil)
        switch end {
        case .newline, .endOfFile:
            return bytes.last == UInt8(ascii: "\r") ? bytes.dropLast() : bytes
        case .tooLong: throw ServiceFailure("the password from \(source) is too long")
        case .failed(let code): throw .system("read the password from \(source)", code: code)
        case .deadline: throw ServiceFailure("no password came from \(source)")
        }
    }

    private static func firstLine(ofFile path: String) throws(ServiceFailure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open the password file \(path)") }
        defer { close(descriptor) }
        return try firstLine(of: descriptor, source: path)
    }

    private static func output(of command: String) throws(ServiceFailure) -> [UInt8] {
        let pipe = try Pipe()
        defer { close(pipe.reading) }
        let child: ChildProcess
        do {
            child = try ChildProcess(
                .init(
                    executable: "/bin/sh", arguments: ["-c", command],
                    descriptors: [0: 0, 1: pipe.writing, 2: 2]))
        } catch {
            close(pipe.writing)
            throw error
        }
        close(pipe.writing)
        let line = Result { () throws(ServiceFailure) in
            try firstLine(of: pipe.reading, source: "the password command")
        }
        let code = try child.waitForEnd()
        let bytes = try line.get()
        guard code == 0 else {
            throw ServiceFailure("the password command failed with exit code \(code)")
        }
        return bytes
    }
}
