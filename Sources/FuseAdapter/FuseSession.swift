import CFuse3
import Dispatch
import Glibc
package import Logging
import Synchronization
package import VirtualFileSystem

/// Why a session ended.
package enum FuseSessionEnd: Sendable, Equatable {
    /// Unmounted, by this process or another.
    case unmounted
    /// Aborted through the kernel; the mount point has been cleared.
    case aborted
    case failed(FuseMountError)
}

/// A mount of a `VirtualFileSystem`, from `mount` to the end of `run`. For one use.
package final class FuseSession: Sendable {
    /// What is mounted where.
    fileprivate struct Mounted {
        let path: String
        let connection: FuseConnection?
    }

    fileprivate enum Phase {
        case created
        case mounted(Mounted)
        case running(Mounted, loop: pthread_t)
        case ended
    }

    private let pointer: FuseSessionPointer
    private let options: FuseMountOptions
    private let dispatcher: FuseDispatcher
    private let logger: Logger
    private let state = Mutex(Phase.created)
    /// Signalled when the loop has ended, and again by whoever waited for it.
    private let loopEnd = DispatchSemaphore(value: 0)

    /// Checks what mounting needs and takes the options. Touches nothing yet.
    package init(
        fileSystem: VirtualFileSystem, options: FuseMountOptions, logger: Logger
    ) throws(FuseMountError) {
        try MountEnvironment.check(options)
        LibfuseLog.send(to: logger)
        let dispatcher = FuseDispatcher(
            fileSystem: fileSystem, logger: logger, attributeValidity: options.attributeValidity)
        let unmanaged = Unmanaged.passUnretained(dispatcher)
        _ = LibfuseLog.takeLines()
        guard
            let pointer = FuseSessionPointer(options: options, dispatcher: unmanaged)
        else {
            throw FuseMountError(
                .invalidOption,
                "The mount options were refused. " + LibfuseLog.takeLines().joined(separator: " "))
        }
        self.pointer = pointer
        self.options = options
        self.dispatcher = dispatcher
        self.logger = logger
    }

    deinit {
        state.withLock { phase in
            switch phase {
            case .created, .mounted: pointer.destroy()
            case .running, .ended: break
            }
        }
    }

    /// How many requests wait for their answer now.
    package var pendingRequests: Int { dispatcher.pending.count }

    /// Mounts. A dead mount that an earlier driver left on the same folder is cleared first. Programs
    /// that use the mount wait until `run` answers them.
    ///
    /// Blocks the thread, for a few milliseconds as a rule and at most for some seconds.
    package func mount() throws(FuseMountError) {
        let path = try MountPreparation.prepare(options, logger: logger)
        _ = LibfuseLog.takeLines()
        guard fuse_session_mount(pointer.raw, path) == 0 else {
            let reason = LibfuseLog.takeLines().joined(separator: " ")
            throw FuseMountError(
                .refused,
                "Mounting on \(path) was refused. \(reason) Mounting as root needs CAP_SYS_ADMIN.")
        }
        let mount = MountTable.current().topmost(at: path)
        let mounted = Mounted(path: path, connection: mount.map { FuseConnection($0) })
        state.withLock { $0 = .mounted(mounted) }
        guard cfuse3_install_io(pointer.raw) == 0 else {
            try Unmounting.unmount(path, lazy: true)
            throw FuseMountError(
                .refused, "libfuse did not take the hooks of its input and output.")
        }
    }

    /// Answers requests, on threads of its own, until the mount is unmounted or aborted and the
    /// requests under way are done.
    ///
    /// - Parameter onReady: called once, on the loop's thread, when the kernel has taken the answer
    ///   to INIT and the mount is usable.
    @discardableResult
    package func run(onReady: @escaping @Sendable () -> Void = {}) async -> FuseSessionEnd {
        await withCheckedContinuation { continuation in
            let isStarted = DedicatedThread.start("ordner-fuse") { [self] in
                continuation.resume(returning: serve(onReady))
            }
            if !isStarted {
                continuation.resume(
                    returning: .failed(FuseMountError(.refused, "No thread could be started.")))
            }
        }
    }

    /// Unmounts and with that ends `run`; does nothing where it is unmounted already.
    ///
    /// Blocks the thread until the kernel has written back; never to be called from Swift's
    /// cooperative pool.
    /// - Parameter lazy: unmounts although programs use the mount; they get errors from then on.
    package func unmount(lazy: Bool) throws(FuseMountError) {
        guard let mounted = state.withLock({ $0.mounted }) else { return }
        if isInTree(mounted) { try Unmounting.unmount(mounted.path, lazy: lazy) }
        // Another mount namespace may hold a copy of the mount, which would keep the loop for ever.
        endLoop(patience: lazy ? 4 : 100)
    }

    /// Makes all waiting requests fail and ends `run`. Blocks the thread for a moment.
    package func abort() {
        guard let mounted = state.withLock({ $0.mounted }) else { return }
        dispatcher.noteConnectionLost()
        do {
            try mounted.connection?.abort()
        } catch {
            logger.warning("\(error)")
        }
        endLoop()
    }
}

extension FuseSession.Phase {
    fileprivate var mounted: FuseSession.Mounted? {
        switch self {
        case .mounted(let mounted), .running(let mounted, _): mounted
        case .created, .ended: nil
        }
    }
}

extension FuseSession {
    /// The whole of `run`, on the loop's thread.
    private func serve(_ onReady: @Sendable () -> Void) -> FuseSessionEnd {
        LoopInterruption.prepare()
        let begun: Mounted? = state.withLock { phase in
            guard case .mounted(let mounted) = phase else { return nil }
            phase = .running(mounted, loop: pthread_self())
            return mounted
        }
        guard let mounted = begun else {
            return .failed(FuseMountError(.refused, "The session is not mounted, or has been run."))
        }
        let notifier = FuseNotifier(logger: logger)
        let watchdog = OverdueWatchdog(
            dispatcher.pending, options: options, logger: logger)
        let isNotifying = notifier.start(pointer)
        let isWatching = watchdog.start { self.abort() }
        dispatcher.fileSystem.setNotifier(notifier)
        let backingFiles = FuseBackingFiles(pointer, options: options, logger: logger)
        dispatcher.fileSystem.setBackingFiles(backingFiles)

        let result = answerRequests(mounted, onReady)

        state.withLock { $0 = .ended }
        loopEnd.signal()
        backingFiles?.end()
        if pointer.isConnectionLost || dispatcher.isConnectionLost {
            dispatcher.noteConnectionLost()
            pointer.closeConnection()
        }
        let wasInTree = clearTree(mounted)
        let isQuiet = drain()
        let isUnused =
            (!isNotifying || notifier.stop(deadline: .now() + .seconds(10)))
            && (!isWatching || watchdog.stop(deadline: .now() + .seconds(10))) && isQuiet
        free(isUnused)
        if let result { return .failed(result) }
        return wasInTree ? .aborted : .unmounted
    }

    /// INIT, then the loop. Answers what went wrong, nil at a normal end.
    private func answerRequests(
        _ mounted: Mounted, _ onReady: @Sendable () -> Void
    ) -> FuseMountError? {
        let length = cfuse3_answer_init(pointer.raw, options.initAdditions)
        guard length > 0, fuse_session_exited(pointer.raw) == 0 else {
            return length == 0
                ? nil
                : FuseMountError(
                    .handshakeFailed,
                    "The kernel's FUSE and libfuse did not agree. "
                        + LibfuseLog.takeLines().joined(separator: " "))
        }
        mounted.connection?.raiseReadAhead()
        onReady()
        guard let configuration = fuse_loop_cfg_create() else {
            return FuseMountError(.refused, "There is no memory for the loop.")
        }
        defer { fuse_loop_cfg_destroy(configuration) }
        fuse_loop_cfg_set_max_threads(configuration, options.maximumThreads)
        let error = fuse_session_loop_mt(pointer.raw, configuration)
        return error == 0
            ? nil
            : FuseMountError(.refused, "The loop failed: \(Unmounting.text(abs(error))).")
    }

    /// Whether the mount at the path still is this one.
    private func isInTree(_ mounted: Mounted) -> Bool {
        guard let top = MountTable.current().topmost(at: mounted.path) else { return false }
        return mounted.connection?.isOf(top) ?? false
    }

    /// Takes a mount out of the tree that nobody answers any more. Answers whether there was one.
    private func clearTree(_ mounted: Mounted) -> Bool {
        guard isInTree(mounted) else { return false }
        do {
            try Unmounting.unmount(mounted.path, lazy: true)
        } catch {
            logger.error("\(error)")
        }
        return true
    }

    /// Waits for the requests under way; false where some are left at the deadline.
    private func drain() -> Bool {
        dispatcher.pending.cancelAll()
        let seconds = Double(options.drainsFor.components.seconds)
        guard dispatcher.pending.waitUntilEmpty(deadline: .now() + seconds) else {
            logger.error(
                "\(pendingRequests) requests are still under way \(Int(seconds)) s after the unmount."
            )
            return false
        }
        return true
    }

    private func free(_ isUnused: Bool) {
        guard isUnused else {
            // Tasks and threads that may still use the session keep it to the end of the process, but
            // no program shall wait for them.
            _ = Unmanaged.passRetained(dispatcher)
            dispatcher.noteConnectionLost()
            pointer.closeConnection()
            return
        }
        pointer.destroy()
    }

    /// Ends the loop where the kernel does not do it within a moment: it waits for programs that
    /// still have files open.
    /// - Parameter patience: twentieths of a second until then.
    private func endLoop(patience: Int = 4) {
        var attempts = 0
        while attempts < 200, loopEnd.wait(timeout: .now() + .milliseconds(50)) == .timedOut {
            attempts += 1
            guard attempts > patience else { continue }
            // Under the lock, so that session and thread can't end in between. Repeated, because the
            // signal is lost where it comes just before sem_wait.
            state.withLock { phase in
                guard case .running(_, let loop) = phase else { return }
                fuse_session_exit(pointer.raw)
                LoopInterruption.interrupt(loop)
            }
        }
        loopEnd.signal()
    }
}
