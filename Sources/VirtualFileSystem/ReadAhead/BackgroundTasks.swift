import Synchronization

/// Tasks that nobody waits for until the end: then they are cancelled, and no others begin.
///
/// Who begins them bounds their number. Safe from any thread.
final class BackgroundTasks: Sendable {
    private struct State {
        var tasks: [UInt64: Task<Void, Never>] = [:]
        var nextID: UInt64 = 0
        var isOver = false
    }

    private let state = Mutex(State())

    func run(_ work: @escaping @Sendable () async -> Void) {
        state.withLock { state in
            guard !state.isOver else { return }
            let id = state.nextID
            state.nextID += 1
            state.tasks[id] = Task {
                await work()
                self.state.withLock { $0.tasks[id] = nil }
            }
        }
    }

    /// Waits until none is under way.
    func settle() async {
        while let task = state.withLock({ $0.tasks.first?.value }) { await task.value }
    }

    /// Cancels all and waits for their ends; whatever is begun later does not run.
    func end() async {
        let tasks = state.withLock { state in
            state.isOver = true
            return state.tasks.values
        }
        for task in tasks { task.cancel() }
        for task in tasks { await task.value }
    }
}
