package import FileSystemTypes

/// What the kernel is to be told to forget.
package enum KernelNotification: Hashable, Sendable {
    case content(node: UInt64)
    case pages(node: UInt64, ByteRange)
    case attributes(node: UInt64)
    case entry(parent: UInt64, name: String)
}

/// Notifications that wait to be sent, in order, each once.
///
/// It is bounded: what is dropped is made good by the kernel's entries running out.
package struct NotificationQueue {
    private var positions: [KernelNotification: UInt64] = [:]
    private var queue: [UInt64: KernelNotification] = [:]
    private var first: UInt64 = 0
    private var next: UInt64 = 0
    private let capacity: Int
    /// How many have been dropped for want of room since `takeDropped`.
    private var dropped = 0

    /// A queue for at most `capacity` notifications.
    package init(capacity: Int) { self.capacity = capacity }

    /// Whether nothing waits.
    package var isEmpty: Bool { positions.isEmpty }
    /// How many wait.
    package var count: Int { positions.count }

    /// Adds a notification unless one that covers it waits already; where the queue is full the
    /// oldest is dropped.
    package mutating func add(_ notification: KernelNotification) {
        guard positions[notification] == nil else { return }
        switch notification {
        case .attributes(let node), .pages(let node, _):
            guard positions[.content(node: node)] == nil else { return }
        case .content(let node):
            remove(.attributes(node: node))
        case .entry: break
        }
        if positions.count >= capacity { dropOldest() }
        positions[notification] = next
        queue[next] = notification
        next += 1
    }

    /// All that wait, oldest first; the queue is empty then.
    package mutating func takeAll() -> [KernelNotification] {
        var all: [KernelNotification] = []
        all.reserveCapacity(positions.count)
        while first < next {
            if let notification = queue[first] { all.append(notification) }
            first += 1
        }
        positions.removeAll(keepingCapacity: positions.count < 1024)
        queue.removeAll(keepingCapacity: queue.count < 1024)
        return all
    }

    /// How many were dropped since the last call.
    package mutating func takeDropped() -> Int {
        defer { dropped = 0 }
        return dropped
    }

    private mutating func dropOldest() {
        while first < next {
            let oldest = queue[first]
            first += 1
            if let oldest {
                queue[first - 1] = nil
                positions[oldest] = nil
                dropped += 1
                return
            }
        }
    }

    private mutating func remove(_ notification: KernelNotification) {
        guard let position = positions.removeValue(forKey: notification) else { return }
        queue[position] = nil
    }
}
