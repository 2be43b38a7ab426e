import FuseAdapter
import Synchronization
import Testing

@Suite struct PendingRequestTableTests {
    private let start = ContinuousClock.now

    private final class Counter: Sendable {
        private let value = Mutex(0)
        var count: Int { value.withLock { $0 } }
        func increment() { value.withLock { $0 += 1 } }
    }

    /// The table behind a reference: the macros of the tests can't call what changes a value.
    private final class Table {
        var table: PendingRequestTable
        init(capacity: Int = 100) { table = PendingRequestTable(capacity: capacity) }

        func add(_ operation: FuseOperation, at now: ContinuousClock.Instant) -> UInt64? {
            table.add(operation, at: now)
        }
        func attach(_ number: UInt64, _ cancel: @escaping @Sendable () -> Void = {}) -> Bool {
            table.attach(cancel: cancel, to: number)
        }
        /// Answers whether there was work to end.
        func interrupt(_ number: UInt64) -> Bool {
            guard let cancel = table.interrupt(number) else { return false }
            cancel()
            return true
        }
        /// Answers whether the program had given up.
        func remove(_ number: UInt64) -> Bool { table.remove(number) }
        func overdue(at now: ContinuousClock.Instant) -> [PendingRequestTable.Overdue] {
            table.overdue(at: now, limit: .seconds(300))
        }
    }

    @Test func aRequestIsReportedOncePastTheLimitAndOncePastTwice() throws {
        let table = Table()
        let number = try #require(table.add(.lookup, at: start))
        #expect(table.overdue(at: start + .seconds(300)).isEmpty)
        let first = table.overdue(at: start + .seconds(301))
        #expect(first.map(\.isTwice) == [false])
        #expect(first.map(\.operation) == [.lookup])
        #expect(first.map(\.age) == [.seconds(301)])
        #expect(table.overdue(at: start + .seconds(600)).isEmpty)
        #expect(table.overdue(at: start + .seconds(601)).map(\.isTwice) == [true])
        #expect(table.overdue(at: start + .seconds(9999)).isEmpty)
        #expect(!table.remove(number))
        #expect(table.table.count == 0)
    }

    @Test func anAnsweredRequestIsNotOverdue() throws {
        let table = Table()
        #expect(!table.remove(try #require(table.add(.read, at: start))))
        #expect(table.overdue(at: start + .seconds(9999)).isEmpty)
    }

    @Test func whoGivesUpEndsTheWork() throws {
        let table = Table()
        let number = try #require(table.add(.read, at: start))
        let ends = Counter()
        #expect(!table.attach(number) { ends.increment() })
        #expect(table.interrupt(number))
        #expect(ends.count == 1)
        #expect(table.remove(number))
    }

    @Test func givingUpBeforeTheWorkBeganIsNotForgotten() throws {
        let table = Table()
        let number = try #require(table.add(.read, at: start))
        #expect(!table.interrupt(number))
        #expect(table.attach(number))
    }

    @Test func aLateInterruptTouchesNoOtherRequest() throws {
        let table = Table()
        let answered = try #require(table.add(.read, at: start))
        #expect(!table.remove(answered))
        let number = try #require(table.add(.read, at: start))
        #expect(number != answered)
        #expect(!table.interrupt(answered))
        #expect(!table.attach(number))
        #expect(!table.attach(answered))
    }

    @Test func onlyWhatChangesNothingMayBeEnded() throws {
        let table = Table()
        let ends = Counter()
        for operation in FuseOperation.allCases {
            let number = try #require(table.add(operation, at: start))
            #expect(!table.attach(number) { ends.increment() })
        }
        for cancel in table.table.cancellations() { cancel() }
        #expect(ends.count == 5)
        let endable = table.overdue(at: start + .seconds(301)).filter { $0.cancel != nil }
        #expect(Set(endable.map(\.operation)) == [.lookup, .getattr, .open, .read, .opendir])
    }

    @Test func aFullTableTakesNoMore() throws {
        let table = Table(capacity: 1)
        let number = try #require(table.add(.read, at: start))
        #expect(table.add(.read, at: start) == nil)
        #expect(!table.remove(number))
        #expect(table.add(.read, at: start) != nil)
    }
}
