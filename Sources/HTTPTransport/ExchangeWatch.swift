import AsyncHTTPClient
import NIOCore
import Synchronization

/// Ends exchanges in which nothing has moved for longer than the client's own timeouts allow: these
/// watch connections, and a request may wait without one.
///
/// One timer for all exchanges of a transport, which runs while there are any: a timer for each would
/// cost a short one more than its own work on the loop. Calls may be made from any thread.
final class ExchangeWatch: Sendable {
    private struct State {
        var exchanges: [UInt64: (HTTPClient.Task<HTTPAnswer>, ExchangeDelegate)] = [:]
        var nextTicket: UInt64 = 0
        var isTicking = false
    }

    private let allowed: TimeAmount
    private let loop: any EventLoop
    private let state = Mutex(State())

    /// - Parameters:
    ///   - allowed: how long an exchange may stand still.
    ///   - loop: where the timer runs.
    init(allowed: TimeAmount, on loop: any EventLoop) {
        self.allowed = allowed
        self.loop = loop
    }

    /// Watches an exchange until `end` is told of the ticket.
    func begin(_ task: HTTPClient.Task<HTTPAnswer>, _ delegate: ExchangeDelegate) -> UInt64 {
        let (ticket, startsTicking) = state.withLock { state in
            state.nextTicket += 1
            state.exchanges[state.nextTicket] = (task, delegate)
            defer { state.isTicking = true }
            return (state.nextTicket, !state.isTicking)
        }
        if startsTicking { tickLater() }
        return ticket
    }

    func end(_ ticket: UInt64) { state.withLock { _ = $0.exchanges.removeValue(forKey: ticket) } }

    private func tickLater() {
        loop.scheduleTask(in: .nanoseconds(max(1, allowed.nanoseconds / 4))) { self.tick() }
    }

    private func tick() {
        let now = NIODeadline.now()
        let (stalled, goesOn) = state.withLock { state in
            state.isTicking = !state.exchanges.isEmpty
            let stalled = state.exchanges.values.filter { now - $0.1.lastActivity > allowed }
            return (stalled.map(\.0), state.isTicking)
        }
        for task in stalled { task.fail(reason: HTTPClientError.readTimeout) }
        if goesOn { tickLater() }
    }
}
