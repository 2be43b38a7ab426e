import Glibc

/// Marks threads that serve requests of programs: work on them may wait for the local disk, as far as
/// it takes no longer than a write does. Others, such as those of Swift's cooperative pool, may not.
package enum RequestThread {
    private static let key: pthread_key_t? = {
        var key = pthread_key_t()
        return pthread_key_create(&key, nil) == 0 ? key : nil
    }()

    /// Runs `body` with the mark. A task that `body` starts at once has it until it first waits.
    package static func run<Value>(_ body: () -> Value) -> Value {
        guard let key, pthread_getspecific(key) == nil else { return body() }
        pthread_setspecific(key, UnsafeRawPointer(bitPattern: 1))
        defer { pthread_setspecific(key, nil) }
        return body()
    }

    /// Whether the calling thread has the mark.
    static var isCurrent: Bool { key.map { pthread_getspecific($0) != nil } ?? false }
}
