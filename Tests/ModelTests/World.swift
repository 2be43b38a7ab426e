import Synchronization

import VirtualFileSystem

/// The time and the made-up names of a run: the same for every run of a seed.
final class World: Sendable {
    private struct State {
        var seconds = 1_000.0
        var names = 0
    }

    private let state = Mutex(State())

    func advance(seconds: Double) { state.withLock { $0.seconds += seconds } }

    var chance: Chance {
        Chance(
            monotonicSeconds: { self.state.withLock { $0.seconds } },
            nameStamp: { "day \(Int(self.state.withLock { $0.seconds }))" },
            uniqueText: {
                self.state.withLock { state in
                    state.names += 1
                    return String(state.names)
                }
            })
    }
}
