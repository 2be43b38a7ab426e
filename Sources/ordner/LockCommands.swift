import ArgumentParser
import FoundationEssentials
import MountService

/// `ordner lock`
struct LockCommandLine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "lock",
        abstract: "Takes the server's lock of a file or folder, and keeps it.",
        discussion: """
            Others can't change it until ordner unlock, the end of the mount, or the end of the duration.
            """)

    @Argument(help: ArgumentHelp("A file or folder in a mount.", valueName: "path"))
    var path: String

    @Option(help: "For how long, such as 30m or 2h; else until it is given back.")
    var duration: TimeSpan?

    func run() async throws {
        let folders = try ProgramFolders()
        let (path, seconds) = (path, duration?.seconds)
        try await BlockingWork.run { () throws(ServiceFailure) in
            try LockCommand.lock(path, seconds: seconds, folders: folders)
        }
    }
}

/// `ordner unlock`
struct UnlockCommandLine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "unlock", abstract: "Gives the server's lock of a file or folder back.")

    @Argument(help: ArgumentHelp("A file or folder in a mount.", valueName: "path"))
    var path: String

    func run() async throws {
        let folders = try ProgramFolders()
        let path = path
        try await BlockingWork.run { () throws(ServiceFailure) in
            try LockCommand.unlock(path, folders: folders)
        }
    }
}

/// `ordner locks`
struct LocksCommandLine: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "locks",
        abstract: "Lists the locks of your mounts, and those of others in the folders looked at.")

    @Argument(help: ArgumentHelp("Only the mount on this folder.", valueName: "dir"))
    var directory: String?

    @Flag(help: "Print JSON for programs.")
    var json = false

    func run() async throws {
        let folders = try ProgramFolders()
        let directory = directory
        let locks = try await BlockingWork.run { () throws(ServiceFailure) in
            let location = directory.map { MountLocation(resolving: $0) }
            return try LockCommand.list(of: location, folders: folders)
        }
        guard !json else { return Message.say(try JSONLine.text(locks)) }
        guard !locks.isEmpty else { return Message.say("No locks.") }
        for lock in locks { Message.say(Self.line(lock)) }
    }

    private static func line(_ lock: LockReport) -> String {
        let who =
            switch lock.purpose {
            case "others": "locked by \(lock.holder ?? "somebody else")"
            case "office": "yours, open in an office program"
            case "command": "yours, by ordner lock"
            default: "yours, being written"
            }
        let until = lock.until.map {
            ", until " + Date(timeIntervalSince1970: Double($0)).formatted(.iso8601)
        }
        let problem = lock.problem.map { ", but lost: \($0)" }
        return "\(lock.path): \(who)\(until ?? "")\(problem ?? "")"
    }
}
