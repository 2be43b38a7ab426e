import Dispatch
import FoundationEssentials
import Glibc

/// Starts the driver as a process of its own and waits until the mount can be used.
package enum BackgroundMount {
    /// Longest time from the start to a usable mount.
    private static let secondsUntilReady = 120.0
    private static let logLimit: Int64 = 10 << 20
    /// The child's number for the pipe's writing end.
    private static let readyDescriptor: Int32 = 3

    /// Starts this program again with `arguments` in the foreground of a session of its own.
    ///
    /// Blocks until the child says that it is ready or why it is not; its later messages go to the
    /// account's log.
    package static func start(
        arguments: [String], account: AccountName, folders: ProgramFolders
    ) throws(ServiceFailure) {
        guard let program = LocalPath.real("/proc/self/exe") else {
            throw .system("find this program's file")
        }
        let log = try openLog(of: account, folders: folders)
        let pipe = try Pipe()
        defer { close(pipe.reading) }
        let child = Result { () throws(ServiceFailure) in
            try ChildProcess(
                .init(
                    executable: program,
                    arguments: arguments + ["--foreground", "--ready-fd", "\(readyDescriptor)"],
                    descriptors: [1: log, 2: log, readyDescriptor: pipe.writing], isDetached: true))
        }
        close(pipe.writing)
        close(log)
        try waitUntilReady(try child.get(), pipe: pipe, log: folders.log(of: account))
    }

    private static func waitUntilReady(
        _ child: ChildProcess, pipe: Pipe, log: String
    ) throws(ServiceFailure) {
        let (bytes, end) = DescriptorReader.line(
            from: pipe.reading, limit: ControlAnswer.limit, within: secondsUntilReady)
        guard end == .newline else {
            kill(child.processID, SIGTERM)
            throw ServiceFailure(
                end == .deadline
                    ? "the mount did not become usable within \(Int(secondsUntilReady)) seconds"
                    : "the driver ended before the mount was usable",
                remedy: "See \(log)")
        }
        let answer: ControlAnswer
        do { answer = try JSONDecoder().decode(ControlAnswer.self, from: Data(bytes)) } catch {
            throw ServiceFailure("the driver's answer can't be read: \(error)")
        }
        if let failure = answer.failure { throw ServiceFailure(failure, remedy: answer.remedy) }
    }

    private static func openLog(
        of account: AccountName, folders: ProgramFolders
    ) throws(ServiceFailure) -> Int32 {
        try LocalFile.makePrivateFolder(folders.state(of: account))
        let path = folders.log(of: account)
        var information = stat()
        if stat(path, &information) == 0, Int64(information.st_size) > logLimit {
            guard rename(path, path + ".1") == 0 else { throw .system("rotate \(path)") }
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system("open \(path)") }
        return descriptor
    }
}

/// The driver's word to the command that started it; said once.
package struct ReadySignal: Sendable {
    private let descriptor: Int32?

    /// - Parameter descriptor: the pipe's writing end; nil where nobody waits.
    package init(descriptor: Int32?) { self.descriptor = descriptor }

    /// The mount can be used.
    package func ready() { say(ControlAnswer()) }

    /// The mount could not be made.
    package func failed(_ failure: ServiceFailure) { say(ControlAnswer(failure: failure)) }

    private func say(_ answer: ControlAnswer) {
        guard let descriptor, let line = try? JSONEncoder().encode(answer) else { return }
        let bytes = Array(line) + [UInt8(ascii: "\n")]
        // Fails only where the command that waited has gone, who then needs no answer.
        _ = write(descriptor, bytes, bytes.count)
        close(descriptor)
    }
}
