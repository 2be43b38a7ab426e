import FoundationEssentials
import Glibc

/// The commands' side of the control socket. Its calls block: use them through `BlockingWork`.
package struct ControlClient: Sendable {
    private let folders: ProgramFolders

    package init(folders: ProgramFolders) { self.folders = folders }

    /// Asks the driver behind a mount; nil where none listens.
    package func ask(
        _ request: ControlRequest, of mountPoint: MountLocation
    ) throws(ServiceFailure) -> ControlAnswer? {
        try ask(request, name: ControlSocket.name(for: mountPoint))
    }

    /// The status of every running mount of this user.
    package func allStatuses() throws(ServiceFailure) -> [MountReport] {
        var names: Set<String> = []
        for folder in folders.possibleSockets {
            names.formUnion(
                try LocalFile.names(in: folder).filter { $0.hasSuffix(ControlSocket.nameSuffix) })
        }
        var statuses: [MountReport] = []
        for name in names.sorted() {
            if let status = try ask(ControlRequest(.status), name: name)?.status {
                statuses.append(status)
            }
        }
        return statuses
    }

    private func ask(_ request: ControlRequest, name: String) throws(ServiceFailure)
        -> ControlAnswer?
    {
        for folder in folders.possibleSockets {
            guard let connection = try UnixSocket.connect(folder: folder, name: name) else {
                continue
            }
            defer { close(connection) }
            return try exchange(request, over: connection)
        }
        return nil
    }

    private func exchange(
        _ request: ControlRequest, over connection: Int32
    ) throws(ServiceFailure) -> ControlAnswer {
        let line: Data
        do { line = try JSONEncoder().encode(request) } catch {
            throw ServiceFailure("the request can't be written: \(error)")
        }
        guard line.count <= ControlRequest.limit else {
            throw ServiceFailure(
                "these are too many paths at one time", remedy: "Name the folder that they are in.")
        }
        UnixSocket.limitSends(of: connection, seconds: 5)
        guard UnixSocket.send(Array(line) + [UInt8(ascii: "\n")], to: connection) else {
            throw Self.silent
        }
        let (bytes, end) = DescriptorReader.line(
            from: connection, limit: ControlAnswer.limit,
            within: Self.seconds(for: request.command))
        guard end == .newline else { throw Self.silent }
        let answer: ControlAnswer
        do { answer = try JSONDecoder().decode(ControlAnswer.self, from: Data(bytes)) } catch {
            throw ServiceFailure("the driver's answer can't be read: \(error)")
        }
        if let failure = answer.failure { throw ServiceFailure(failure, remedy: answer.remedy) }
        if answer.isEnding == true { waitForEnd(of: connection) }
        return answer
    }

    /// How long the driver may take; nil: as long as it wants.
    private static func seconds(for command: ControlRequest.Command) -> Double? {
        switch command {
        // Waits for uploads, which have deadlines of their own.
        case .unmount: nil
        // The server is asked.
        case .lock, .unlock: 40
        // Files by the thousand are looked at, or deleted.
        case .cache: 60
        case .trimCache: 600
        case .status, .sync, .progress, .forgetConflict, .locks, .warm, .warmProgress, .warmEnd,
            .limitCache:
            10
        }
    }

    /// The driver closes the connection only by ending.
    private func waitForEnd(of connection: Int32) {
        _ = DescriptorReader.line(from: connection, limit: 1, within: 120)
    }

    private static let silent = ServiceFailure(
        "the driver doesn't answer",
        remedy: "Its log may say why. To take the mount away: ordner unmount --now DIR")
}
