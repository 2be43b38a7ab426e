import Dispatch
import Glibc
import Synchronization

/// Turns SIGINT, SIGTERM and SIGHUP into calls on a queue of its own.
///
/// libfuse's own handlers can hang when the signal reaches another thread than the loop's, hence
/// this; and a signal must not end the process before the mount is gone.
package final class TerminationSignals: Sendable {
    private struct State {
        var sources: [any DispatchSourceSignal] = []
        var count = 0
    }

    private let state = Mutex(State())

    /// - Parameter handler: called with 1 for the first signal, 2 for the second, and so on, on a
    ///   thread that may block.
    package init(handler: @escaping @Sendable (Int) -> Void) {
        let queue = DispatchQueue(label: "ordner.signals", attributes: .concurrent)
        for number in [SIGINT, SIGTERM, SIGHUP] {
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: queue)
            source.setEventHandler { @Sendable [weak self] in
                guard let self else { return }
                handler(
                    state.withLock { state in
                        state.count += 1
                        return state.count
                    })
            }
            source.resume()
            state.withLock { [source = SendableSource(source)] in $0.sources.append(source.value) }
        }
        // A reader of ours that went away must not end the mount.
        signal(SIGPIPE, SIG_IGN)
    }
}

/// Dispatch sources may be used from any thread, but Dispatch doesn't say so to the compiler.
private struct SendableSource: @unchecked Sendable {
    let value: any DispatchSourceSignal

    init(_ value: any DispatchSourceSignal) { self.value = value }
}
