import Dispatch

/// Waits until a condition holds that nothing tells of, such as one of another process or of the
/// server: looks at once and then at every tick of a timer, not in between.
/// - Parameter limit: after which `NeverHappened` is thrown; one last look is taken then.
package func eventually(
    within limit: Duration = .seconds(60), _ what: String = "the condition",
    _ condition: () async throws -> Bool
) async throws {
    let (ticks, source) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    let timer = DispatchSource.makeTimerSource(queue: DispatchQueue(label: "ordner.test.ticks"))
    let deadline = ContinuousClock.now + limit
    timer.setEventHandler { @Sendable in
        source.yield()
        if ContinuousClock.now >= deadline { source.finish() }
    }
    timer.schedule(deadline: .now(), repeating: .milliseconds(5))
    timer.activate()
    defer { timer.cancel() }
    for await _ in ticks where try await condition() { return }
    try Task.checkCancellation()
    throw NeverHappened(what: what)
}

/// What `eventually` throws.
package struct NeverHappened: Error, CustomStringConvertible {
    package var what: String

    package var description: String { "\(what) did not come true in time" }
}
