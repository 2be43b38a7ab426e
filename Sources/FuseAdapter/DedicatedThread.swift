import CFuse3
import Dispatch
import Glibc
import Synchronization

/// Threads for work that blocks, which Swift's cooperative pool must not.
enum DedicatedThread {
    /// Runs `body` on a new thread. Debuggers show the first 15 bytes of its name. Answers false where the system has none left.
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
        let start = Unmanaged.passRetained(ThreadStart(name: name, body: body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let start = Unmanaged<ThreadStart>.fromOpaque(argument).takeRetainedValue()
                cfuse3_set_thread_name(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        guard result == 0 else {
            start.release()
            return false
        }
        pthread_detach(thread)
        return true
    }

    /// What `work` answers on a thread of its own; nil where it takes longer than `limit`. The thread
    /// then goes on until the system call it hangs in returns. Blocks the calling thread.
    static func result<Value: Sendable>(
        of work: @escaping @Sendable () -> Value, within limit: DispatchTimeInterval
    ) -> Value? {
        let answer = Answer<Value>()
        let done = DispatchSemaphore(value: 0)
        guard
            start(
                "ordner-probe",
                {
                    let value = work()
                    answer.value.withLock { $0 = value }
                    done.signal()
                }), done.wait(timeout: .now() + limit) == .success
        else { return nil }
        return answer.value.withLock { $0 }
    }
}

private final class ThreadStart: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}

private final class Answer<Value: Sendable>: Sendable {
    let value = Mutex<Value?>(nil)
}
