import Logging
import NIOPosix
import Synchronization

/// The parts of a running server that calls work with.
final class CloudServices: Sendable {
    private let folder: DataFolder
    let database: CloudDatabase
    let content: ContentStore
    let passwords: PasswordHasher
    let verifiedPasswords = VerifiedPasswords()
    let loginFlows = LoginFlows()
    let outbox = Outbox()
    let chunks: ChunkStore
    let changes: ChangeHub
    let pushTokens = PushTokens()
    /// Where clients are told of changes; nil where they aren't.
    let pushAddress = Mutex<String?>(nil)
    /// `https`, or `http` where the configuration asks for it.
    let scheme: String
    let faults = FaultControl()
    let counts = RequestCounts()
    let logger: Logger
    let clock: @Sendable () -> Int64
    let hasTestHooks: Bool
    private let currentBehaviour: Mutex<ServerBehaviour>

    init(
        configuration: EmbeddedCloudConfiguration, folder: DataFolder, database: CloudDatabase,
        content: ContentStore
    ) {
        self.folder = folder
        self.database = database
        self.content = content
        passwords = PasswordHasher(cost: configuration.passwordCost)
        chunks = ChunkStore(folder, content: content)
        changes = database.changes
        scheme = configuration.isPlain ? "http" : "https"
        logger = configuration.logger
        clock = configuration.clock
        hasTestHooks = configuration.faultHooksOverHTTP
        currentBehaviour = Mutex(configuration.behaviour)
    }

    var behaviour: ServerBehaviour {
        get { currentBehaviour.withLock { $0 } }
        set { currentBehaviour.withLock { $0 = newValue } }
    }

    /// Closes the database and gives the data folder free for another server.
    func close() async throws {
        let (database, folder) = (database, folder)
        try await content.threads.runIfActive {
            try database.close()
            try folder.unlock()
        }
        try await content.threads.shutdownGracefully()
    }

    func context(token: String?) -> CallContext {
        CallContext(token: token, now: clock(), behaviour: behaviour)
    }
}
