import Dispatch
import Glibc
import Synchronization

/// A child process in a process group of its own that inherits its three standard files and
/// nothing else. Safe from any thread.
///
/// Foundation's `Process` gives a child that is started at the same time as another one the
/// descriptor by which it notices the end of that other one, which then seems to go on for as
/// long as the first one runs.
package final class TestProcess: Sendable {
    /// What to run, where, and on which files.
    package struct Launch: Sendable {
        package var program: String
        package var arguments: [String]
        package var environment: [String: String]
        package var folder: String
        package var input = "/dev/null"
        package var output: String
        package var error: String

        package init(
            _ program: String, _ arguments: [String], environment: [String: String],
            folder: String, outputs: (output: String, error: String)
        ) {
            self.program = program
            self.arguments = arguments
            self.environment = environment
            self.folder = folder
            (output, error) = outputs
        }
    }

    /// How a process ended.
    package enum End: Sendable, Equatable {
        case exit(Int32)
        case signal(Int32)
    }

    /// The process could not be started, with the reason's errno.
    package struct NotStarted: Error {
        let program: String
        let code: Int32
    }

    private struct State {
        var end: End?
        var waiters: [CheckedContinuation<End, Never>] = []
    }

    package let processID: Int32
    private let state = Mutex(State())

    /// Starts the process.
    /// - Parameter ended: called once, on a thread of its own.
    package init(_ launch: Launch, ended: @escaping @Sendable () -> Void = {}) throws {
        processID = try Self.spawn(launch)
        DispatchQueue(label: "ordner.test.process").async { [self] in
            waitForEnd()
            ended()
        }
    }

    /// How it ended; nil while it runs.
    package var end: End? { state.withLock { $0.end } }

    /// Waits for the end. The caller sees to it that there is one.
    package func waitUntilEnd() async -> End {
        await withCheckedContinuation { continuation in
            let end = state.withLock { state in
                if state.end == nil { state.waiters.append(continuation) }
                return state.end
            }
            if let end { continuation.resume(returning: end) }
        }
    }

    /// Sends a signal to the process, if it still runs.
    package func signal(_ number: Int32) {
        state.withLock { if $0.end == nil { _ = kill(processID, number) } }
    }

    /// Ends the process and what it started, if it still runs.
    package func killGroup() {
        state.withLock { if $0.end == nil { _ = kill(-processID, SIGKILL) } }
    }

    private func waitForEnd() {
        // The process is left to be reaped until its end is noted, so that no signal can meet
        // another one of the same number.
        var information = siginfo_t()
        while waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {
        }
        let waiters = state.withLock { state in
            var status: Int32 = 0
            while waitpid(processID, &status, 0) < 0, errno == EINTR {}
            let signal = status & 0x7F
            let end = signal == 0 ? End.exit((status >> 8) & 0xFF) : End.signal(signal)
            state.end = end
            defer { state.waiters = [] }
            return state.waiters.map { (waiter: $0, end: end) }
        }
        for (waiter, end) in waiters { waiter.resume(returning: end) }
    }

    // glibc declares these two only for C with its own extensions, which Swift doesn't ask for.
    private typealias Actions = UnsafeMutablePointer<posix_spawn_file_actions_t>
    private static let closeFrom = dlsym(nil, "posix_spawn_file_actions_addclosefrom_np").map {
        unsafeBitCast($0, to: (@convention(c) (Actions, Int32) -> Int32).self)
    }
    private static let changeFolder = dlsym(nil, "posix_spawn_file_actions_addchdir_np").map {
        unsafeBitCast($0, to: (@convention(c) (Actions, UnsafePointer<CChar>) -> Int32).self)
    }

    private static func spawn(_ launch: Launch) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, launch.input, O_RDONLY, 0)
        let flags = O_WRONLY | O_CREAT | O_APPEND
        posix_spawn_file_actions_addopen(&actions, 1, launch.output, flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, launch.error, flags, 0o600)
        guard let closeFrom = Self.closeFrom, let changeFolder = Self.changeFolder,
            closeFrom(&actions, 3) == 0, changeFolder(&actions, launch.folder) == 0
        else { throw NotStarted(program: launch.program, code: ENOSYS) }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        for number in [SIGHUP, SIGINT, SIGQUIT, SIGPIPE, SIGTERM, SIGCHLD] {
            sigaddset(&signals, number)
        }
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setpgroup(&attributes, 0)
        posix_spawnattr_setflags(
            &attributes,
            Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let variables = launch.environment.map { "\($0.key)=\($0.value)" }
        var arguments = ([launch.program] + launch.arguments).map { strdup($0) } + [nil]
        var environment = variables.map { strdup($0) } + [nil]
        defer { for text in arguments + environment { free(text) } }
        var process = pid_t()
        let code = posix_spawn(
            &process, launch.program, &actions, &attributes, &arguments, &environment)
        guard code == 0 else { throw NotStarted(program: launch.program, code: code) }
        return process
    }
}
