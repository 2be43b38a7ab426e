import BlockCache
import FileSystemTypes
import FuseAdapter
import Glibc
import HTTPTransport
import Synchronization
import VirtualFileSystem

/// How the mount is to end.
final class MountEnding: Sendable {
    private let state = Mutex(false)

    /// What is unsent waits for the next mount.
    var leavesUnsent: Bool {
        get { state.withLock { $0 } }
        set { state.withLock { $0 = newValue } }
    }
}

/// Answers what commands ask of a running mount.
struct MountControl: Sendable {
    let settings: MountSettings
    let account: AccountSettings
    let fileSystem: VirtualFileSystem
    let session: FuseSession
    let resources: AccountResources
    let folders: ProgramFolders
    let ending: MountEnding

    func answer(_ request: ControlRequest) async -> ControlAnswer {
        let path = request.path ?? []
        switch request.command {
        case .status: return ControlAnswer(status: report)
        case .unmount: return await unmount(request)
        case .sync:
            await fileSystem.sendNow(below: path)
            return ControlAnswer(progress: progress(below: path))
        case .progress:
            await fileSystem.jobEnded(within: 1)
            return ControlAnswer(progress: progress(below: path))
        case .forgetConflict:
            guard path.count == 2 else {
                return ControlAnswer(failure: ServiceFailure("a conflict has two paths"))
            }
            fileSystem.forgetConflict(Conflict(copy: path[0], original: path[1]))
            return ControlAnswer()
        case .lock, .unlock: return await changeLock(request)
        case .locks:
            return ControlAnswer(
                locks: fileSystem.knownLocks().prefix(MountReport.listLimit).map(Self.lock))
        case .warm, .warmProgress, .warmEnd: return await warm(request)
        case .cache, .trimCache, .limitCache: return await manageCache(request)
        }
    }

    private func changeLock(_ request: ControlRequest) async -> ControlAnswer {
        let path = request.path ?? []
        guard !path.isEmpty else {
            return ControlAnswer(
                failure: ServiceFailure("the top of a mount can't be locked, only what is in it"))
        }
        do throws(FileSystemError) {
            if request.command == .lock {
                try await fileSystem.lock(path: path, seconds: request.seconds)
            } else {
                try await fileSystem.unlock(path: path)
            }
            return ControlAnswer()
        } catch {
            return ControlAnswer(failure: ServiceFailure(error.message))
        }
    }

    private static func lock(_ lock: MountStatus.Lock) -> LockReport {
        LockReport(
            path: lock.path, purpose: lock.purpose.rawValue, holder: lock.holder,
            until: lock.until, problem: lock.problem)
    }

    private func unmount(_ request: ControlRequest) async -> ControlAnswer {
        let session = session
        let lazily = request.lazily == true
        let leavesUnsent = request.leavesUnsent == true
        do throws(ServiceFailure) {
            ending.leavesUnsent = leavesUnsent
            try await BlockingWork.run { () throws(ServiceFailure) in
                try ServiceFailure.translating { () throws(FuseMountError) in
                    try session.unmount(lazy: lazily)
                }
            }
            return ControlAnswer(isEnding: true)
        } catch {
            ending.leavesUnsent = false
            return ControlAnswer(failure: error)
        }
    }

    private func progress(below path: [String]) -> ProgressReport {
        let progress = fileSystem.progress(below: path)
        return ProgressReport(
            remaining: progress.remaining, remainingBytes: progress.remainingBytes,
            failed: progress.failed.prefix(MountReport.listLimit).map(Self.unsent),
            failedCount: progress.failed.count)
    }

    private static func unsent(_ unsent: MountStatus.Unsent) -> MountReport.Unsent {
        MountReport.Unsent(
            path: unsent.path, bytes: unsent.bytes, change: unsent.change.rawValue,
            error: unsent.error)
    }

    private var report: MountReport {
        let status = fileSystem.status()
        let limit = MountReport.listLimit
        return MountReport(
            account: settings.account.rawValue, remotePath: settings.remotePath,
            mountPoint: settings.location.path, server: account.url, user: account.user,
            processID: getpid(), serverReachable: !resources.transport.health.isOffline,
            openFiles: status.openFiles, entriesInMemory: status.knownInodes,
            cacheBytes: status.cachedBytes,
            cacheLimit: resources.cache.limit, unsent: status.unsent.prefix(limit).map(Self.unsent),
            unsentFiles: status.unsent.count,
            conflicts: status.conflicts.suffix(limit).map {
                .init(copy: $0.copy, original: $0.original)
            },
            locks: Array(status.locks.prefix(limit)),
            lostLocks: Array(status.lostLocks.prefix(limit)))
    }
}
