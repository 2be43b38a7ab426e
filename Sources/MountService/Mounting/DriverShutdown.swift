import Glibc
import ServiceLifecycle
import Synchronization

/// Ends the driver on signals: the first one in order, the second by force.
final class DriverShutdown: Sendable {
    private struct State {
        var group: ServiceGroup?
        var force: (@Sendable () -> Void)?
    }

    private let state = Mutex(State())

    /// From now on signals end `group`, and a second one calls `force` first, on a thread that may
    /// block.
    func take(_ group: ServiceGroup, force: @escaping @Sendable () -> Void) {
        state.withLock {
            $0.group = group
            $0.force = force
        }
    }

    /// Handles the signals of this process for as long as the result is kept.
    func handleSignals() -> TerminationSignals {
        TerminationSignals { [self] count in
            let (group, force) = state.withLock { ($0.group, $0.force) }
            guard let group, count == 1 else {
                // Nothing is mounted yet, or it takes too long: state on disk survives any end.
                force?()
                _exit(1)
            }
            Task { await group.triggerGracefulShutdown() }
        }
    }
}
