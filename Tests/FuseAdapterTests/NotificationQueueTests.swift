import FuseAdapter
import Testing

@Suite struct NotificationQueueTests {
    /// The queue behind a reference: the macros of the tests can't call what changes a value.
    private final class Queue {
        var queue: NotificationQueue
        init(capacity: Int) { queue = NotificationQueue(capacity: capacity) }
        func takeAll() -> [KernelNotification] { queue.takeAll() }
        func takeDropped() -> Int { queue.takeDropped() }
    }

    private func queue(capacity: Int = 8, _ notifications: KernelNotification...) -> Queue {
        let queue = Queue(capacity: capacity)
        for notification in notifications { queue.queue.add(notification) }
        return queue
    }

    @Test func theOrderIsKeptAndDuplicatesAreSentOnce() {
        let queue = queue(
            .entry(parent: 1, name: "a"), .content(node: 5), .entry(parent: 1, name: "a"),
            .entry(parent: 2, name: "a"), .content(node: 5))
        #expect(
            queue.takeAll() == [
                .entry(parent: 1, name: "a"), .content(node: 5), .entry(parent: 2, name: "a"),
            ])
        #expect(queue.queue.isEmpty)
        #expect(queue.takeAll().isEmpty)
    }

    @Test func contentCoversAttributes() {
        let attributesFirst = queue(.attributes(node: 5), .content(node: 5))
        #expect(attributesFirst.takeAll() == [.content(node: 5)])
        let contentFirst = queue(.content(node: 5), .attributes(node: 5), .attributes(node: 6))
        #expect(contentFirst.takeAll() == [.content(node: 5), .attributes(node: 6)])
    }

    @Test func whatWasTakenCanBeAddedAgain() {
        let queue = queue(.content(node: 5))
        #expect(queue.takeAll() == [.content(node: 5)])
        queue.queue.add(.content(node: 5))
        #expect(queue.takeAll() == [.content(node: 5)])
    }

    @Test func theOldestAreDroppedAndCounted() {
        let queue = queue(
            capacity: 3, .content(node: 1), .content(node: 2), .content(node: 3),
            .content(node: 4), .content(node: 5))
        #expect(queue.queue.count == 3)
        #expect(queue.takeAll() == [.content(node: 3), .content(node: 4), .content(node: 5)])
        #expect(queue.takeDropped() == 2)
        #expect(queue.takeDropped() == 0)
    }

    @Test func aDuplicateDropsNothing() {
        let queue = queue(capacity: 2, .content(node: 1), .content(node: 2), .content(node: 1))
        #expect(queue.takeDropped() == 0)
        #expect(queue.takeAll() == [.content(node: 1), .content(node: 2)])
    }

    @Test func droppingPassesOverWhatWasReplaced() {
        let queue = queue(
            capacity: 2, .attributes(node: 1), .content(node: 1), .content(node: 2),
            .content(node: 3))
        #expect(queue.takeAll() == [.content(node: 2), .content(node: 3)])
        #expect(queue.takeDropped() == 1)
    }
}
