/// Waits until a condition holds, yielding in between; throws after the deadline.
package func eventually(
    within limit: Duration = .seconds(10), _ what: String = "the condition",
    _ condition: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + limit
    while !(try await condition()) {
        guard ContinuousClock.now < deadline else { throw NeverHappened(what: what) }
        await Task.yield()
    }
}

/// What `eventually` throws.
package struct NeverHappened: Error, CustomStringConvertible {
    package var what: String

    package var description: String { "\(what) did not come true in time" }
}
