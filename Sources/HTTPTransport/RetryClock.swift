/// A clock of any type, as far as retries need one.
struct RetryClock: Sendable {
    /// Throws when the task is cancelled.
    let sleep: @Sendable (Duration) async throws -> Void
    /// Starts a measurement: the closure returned says how much time has passed since.
    let startMeasuring: @Sendable () -> @Sendable () -> Duration

    init(_ clock: some Clock<Duration>) {
        sleep = { try await clock.sleep(for: $0) }
        startMeasuring = {
            let start = clock.now
            return { start.duration(to: clock.now) }
        }
    }
}
