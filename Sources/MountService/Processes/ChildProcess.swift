import Glibc

/// A program started by `posix_spawn`: fork is never used, as Swift's threads would be missing in
/// the child.
struct ChildProcess: Sendable {
    /// What a child gets.
    struct Launch: Sendable {
        var executable: String
        /// Without the program's own name.
        var arguments: [String]
        var environment: [String: String]?
        /// Descriptors of the child and which of ours each is. All of ours are closed in children
        /// unless named here.
        var descriptors: [Int32: Int32] = [:]
        /// A session of its own, away from the terminal.
        var isDetached = false
    }

    let processID: pid_t

    /// Starts the program; its standard streams not named in `descriptors` are /dev/null.
    init(_ launch: Launch) throws(ServiceFailure) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        Self.arrange(launch, in: &actions)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        Self.resetSignals(&attributes, isDetached: launch.isDetached)

        var arguments = ([launch.executable] + launch.arguments).map { strdup($0) } + [nil]
        defer { arguments.forEach { free($0) } }
        var variables = launch.environment?.map { strdup("\($0.key)=\($0.value)") } ?? []
        variables.append(nil)
        defer { variables.forEach { free($0) } }
        var child: pid_t = 0
        let code =
            launch.environment == nil
            ? posix_spawn(
                &child, launch.executable, &actions, &attributes, &arguments, environ)
            : posix_spawn(
                &child, launch.executable, &actions, &attributes, &arguments, &variables)
        guard code == 0 else { throw .system("start \(launch.executable)", code: code) }
        processID = child
    }

    /// Blocks until the program ends; its exit code, or 128 and the signal that ended it.
    func waitForEnd() throws(ServiceFailure) -> Int32 {
        var status: Int32 = 0
        while waitpid(processID, &status, 0) < 0 {
            guard errno == EINTR else { throw .system("wait for process \(processID)") }
        }
        let signal = status & 0x7f
        return signal == 0 ? (status >> 8) & 0xff : 128 + signal
    }

    private static func arrange(
        _ launch: Launch, in actions: inout posix_spawn_file_actions_t
    ) {
        // First out of the way of the child's low numbers, then into place.
        let entries = launch.descriptors.sorted { $0.key < $1.key }
        let parked = (0..<entries.count).map { 64 + Int32($0) }
        for (entry, place) in zip(entries, parked) {
            posix_spawn_file_actions_adddup2(&actions, entry.value, place)
        }
        for stream: Int32 in 0...2 where launch.descriptors[stream] == nil {
            posix_spawn_file_actions_addopen(&actions, stream, "/dev/null", O_RDWR, 0)
        }
        for (entry, place) in zip(entries, parked) {
            posix_spawn_file_actions_adddup2(&actions, place, entry.key)
            posix_spawn_file_actions_addclose(&actions, place)
        }
    }

    /// The child begins with no signal blocked or ignored.
    private static func resetSignals(_ attributes: inout posix_spawnattr_t, isDetached: Bool) {
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        var all = sigset_t()
        sigfillset(&all)
        posix_spawnattr_setsigdefault(&attributes, &all)
        // glibc's POSIX_SPAWN_SETSID, which its header shows to GNU sources only.
        let newSession: Int32 = isDetached ? 0x80 : 0
        let flags = Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF) | newSession
        posix_spawnattr_setflags(&attributes, Int16(flags))
    }
}
