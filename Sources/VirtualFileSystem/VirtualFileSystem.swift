package import BlockCache
package import CloudStorage
import FileSystemTypes
import LockManager
package import Logging
package import StateStore
import Synchronization

/// A task that waits for the end of a job on an item: nil when there is nothing to wait for.
struct JobWaiter: Sendable {
    let item: UInt64
    let waiter: CheckedContinuation<Result<Void, FileSystemError>?, Never>
}

/// The operations of one mount: cache, state, locks and cloud put together.
///
/// Operations are in `Operations/`, one file a topic. They may be called from any thread, in
/// parallel, and never block on the network: what needs it comes back as `Outcome.pending`.
/// All shared state is in `tree`; its mutex is held for lines, never across a call elsewhere.
package final class VirtualFileSystem: Sendable {
    let cloud: any CloudStorage
    /// `cloud`, where it finds items by path: here they have ids all the same.
    let identities: IdentifiedCloud?
    let cache: BlockCache
    let store: StateStore
    let locks: LockManager
    let leaseJournal: LeaseJournal
    /// Locks that are held for longer than a file is open.
    let keptLocks = Mutex(KeptLocks())
    /// Why files are written without locks, as far as it was said.
    let reasonsWithoutLock = Mutex<Set<String>>([])
    let options: MountOptions
    let logger: Logger
    let disk = DiskQueue(label: "ordner.disk")
    /// One change of a node on the server at a time.
    let gate = KeyedGate()
    let tree: Mutex<Tree>
    let listings: SingleFlight
    /// Folders being taken from the state table.
    let loads = SingleFlight()
    let unloading = Mutex(UnloadWork())
    /// The run before has ended in order, so that its state table says what it knew.
    let hasOrderlyPast = Atomic<Bool>(false)
    let wakeSignal = WakeSignal()
    /// Who waits for a job on an item to end.
    let jobWaiters = Mutex<[JobWaiter]>([])
    /// Who is to hear of the next end of any job.
    let jobObservers = Mutex<[Latch<Void>]>([])
    /// Monotonic seconds until which the server counts as not answering.
    let silentUntil = Mutex<Double>(-.infinity)
    /// Monotonic seconds until which looks at known folders don't wait for their listing.
    let slowUntil = Mutex<Double>(-.infinity)
    /// The task that carries out the reconciler's jobs.
    let synchronization = Mutex<Task<Void, Never>?>(nil)
    /// Server changes of several calls that could not be ended yet, by their record.
    let unfinished = Mutex<[Int64: Undertaking]>([:])
    /// Ends of records and rows that may not come before the rows of the running job, by its item.
    let ended = Mutex<[UInt64: [StateChange]]>([:])
    /// What is on its way to the server, with the records of that, by inode.
    let sentContents = Mutex<[UInt64: [SentRecord]]>([:])
    let retirements = Mutex(Retirements())
    let isClearingLater = Atomic<Bool>(false)
    /// Programs' walks, and what is being fetched ahead of them.
    let readAhead = Mutex(ReadAhead())
    let aheadTasks = BackgroundTasks()
    /// What `ordner warm` has begun, by the hold that keeps it.
    let warmings = Mutex<[UInt64: WarmRun]>([:])
    let orphanWork = Mutex<Task<Void, Never>?>(nil)
    /// Copies of the server that nobody waits for any more, by their record.
    let lateCopies = Mutex(LateCopies())
    /// Versions that unsent contents still lack parts of, by inode.
    let contentBases = Mutex<[UInt64: (intent: Int64, base: ContentBase)]>([:])
    /// Records of times that are still to be sent, by inode.
    let timeIntents = Mutex<[UInt64: Int64]>([:])
    /// Found out by this run, where the cloud can't say.
    let learnedUploadBehaviour = Mutex<Capabilities.UploadOntoName?>(nil)
    private let serials = Atomic<UInt64>(0)
    /// Closed handles by which programs still map files.
    let mappedHandles = BackgroundTasks()
    private let backingBox = Mutex<(any BackingFiles)?>(nil)
    private let notifierBox = Mutex<(any KernelNotifier)?>(nil)

    /// Nothing is asked of the server before `start`.
    package init(
        cloud: any CloudStorage, cache: BlockCache, store: StateStore, options: MountOptions,
        logger: Logger
    ) {
        let identities =
            cloud.capabilities.addressesByPath
            ? IdentifiedCloud(cloud, store: store, uniqueText: options.chance.uniqueText) : nil
        self.identities = identities
        if let identities { self.cloud = identities } else { self.cloud = cloud }
        self.cache = cache
        self.store = store
        self.options = options
        self.logger = logger
        var top = Node(
            id: Tree.rootID, inode: .root, kind: .folder, parent: Tree.rootID, name: "")
        top.lookups = 1
        listings = SingleFlight(startsAtOnce: options.synchronizesInBackground)
        leaseJournal = LeaseJournal(store: store)
        tree = Mutex(
            Tree(
                rootNode: top, pace: options.pace, chance: options.chance, leases: leaseJournal))
        locks = LockManager(
            cloud: self.cloud,
            leaseSeconds: max(2, min(cloud.capabilities.lockSeconds ?? 1_800, options.lockSeconds)),
            clock: ContinuousClock(), observer: leaseJournal)
    }

    /// Who to tell when the kernel must forget something; set before the first operation.
    package func setNotifier(_ notifier: any KernelNotifier) {
        notifierBox.withLock { $0 = notifier }
    }

    /// Who takes files for the kernel; set before the first operation, nil where nobody does.
    package func setBackingFiles(_ files: (any BackingFiles)?) {
        backingBox.withLock { $0 = files }
    }

    var backingFiles: (any BackingFiles)? { backingBox.withLock { $0 } }

    var notifier: (any KernelNotifier)? { notifierBox.withLock { $0 } }

    /// A number for a working copy that no other has in this run.
    func nextSerial() -> UInt64 { serials.add(1, ordering: .relaxed).newValue }

    /// A new node with a number of its own, or with the number a record has.
    func makeNode(kind: FileKind, parent: UInt64?, name: String, inode: InodeNumber? = nil) -> Node
    {
        let inode = inode ?? store.allocateInode()
        return Node(id: inode.rawValue, inode: inode, kind: kind, parent: parent, name: name)
    }

    /// Runs slow work as an outcome.
    func pending<Value: Sendable>(
        _ work: @escaping @Sendable () async throws(FileSystemError) -> Value
    ) -> Outcome<Value> {
        .pending {
            do throws(FileSystemError) {
                return .success(try await work())
            } catch {
                return .failure(error)
            }
        }
    }

    /// Answers at once from what is known.
    func now<Value: Sendable>(
        _ work: () throws(FileSystemError) -> Value
    ) -> Outcome<Value> {
        do throws(FileSystemError) {
            return .ready(.success(try work()))
        } catch {
            return .ready(.failure(error))
        }
    }

    /// Calls the cloud, its error told as a program's error.
    func ask<Value: Sendable>(
        _ call: () async throws(CloudStorageError) -> Value
    ) async throws(FileSystemError) -> Value {
        do throws(CloudStorageError) {
            return try await call()
        } catch {
            throw FileSystemError(error)
        }
    }
}
