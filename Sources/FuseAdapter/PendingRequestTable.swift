/// The requests whose answer is being waited for.
package struct PendingRequestTable {
    /// A request that has waited longer than the limit.
    package struct Overdue: Sendable {
        /// What the request is.
        package let operation: FuseOperation
        /// How long it has waited.
        package let age: Duration
        /// Whether it has waited twice as long as the limit.
        package let isTwice: Bool
        /// Ends the work, where the operation may be ended.
        package let cancel: (@Sendable () -> Void)?
    }

    private struct Request {
        let operation: FuseOperation
        let start: ContinuousClock.Instant
        var cancel: (@Sendable () -> Void)?
        var isInterrupted = false
        var reports = 0
    }

    private var requests: [UInt64: Request] = [:]
    private var lastNumber: UInt64 = 0
    private let capacity: Int

    /// A table for at most `capacity` requests.
    package init(capacity: Int) { self.capacity = capacity }

    /// How many requests wait.
    package var count: Int { requests.count }

    /// Adds a request and answers its number, nil where the table is full.
    package mutating func add(
        _ operation: FuseOperation, at now: ContinuousClock.Instant
    ) -> UInt64? {
        guard requests.count < capacity else { return nil }
        lastNumber += 1
        requests[lastNumber] = Request(operation: operation, start: now)
        return lastNumber
    }

    /// Says how to end the work of a request. Answers true where the program has given up already,
    /// so that the caller has to end it at once.
    package mutating func attach(
        cancel: @escaping @Sendable () -> Void, to number: UInt64
    ) -> Bool {
        guard let request = requests[number] else { return false }
        requests[number]?.cancel = cancel
        return request.isInterrupted
    }

    /// Notes that the program gave up. Answers what ends the work, if it is known yet.
    package mutating func interrupt(_ number: UInt64) -> (@Sendable () -> Void)? {
        requests[number]?.isInterrupted = true
        return requests[number]?.cancel
    }

    /// Takes a request out. Answers whether the program had given up.
    package mutating func remove(_ number: UInt64) -> Bool {
        requests.removeValue(forKey: number)?.isInterrupted ?? false
    }

    /// What ends the work of all requests that may be ended.
    package func cancellations() -> [@Sendable () -> Void] {
        requests.values.compactMap { $0.operation.isInterruptible ? $0.cancel : nil }
    }

    /// The requests that have passed the limit, or twice the limit, since the last call.
    package mutating func overdue(
        at now: ContinuousClock.Instant, limit: Duration
    ) -> [Overdue] {
        var found: [Overdue] = []
        for (number, request) in requests {
            let age = now - request.start
            let reports = age > limit * 2 ? 2 : age > limit ? 1 : 0
            guard reports > request.reports else { continue }
            requests[number]?.reports = reports
            found.append(
                Overdue(
                    operation: request.operation, age: age, isTwice: reports == 2,
                    cancel: request.operation.isInterruptible ? request.cancel : nil))
        }
        return found
    }
}
