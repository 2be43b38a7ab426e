import CloudStorage
import LockManager
import Testing

/// Drives the pure table through random histories against a simple model of the server.
@Suite struct LeaseTableTests {
    private struct Generator: RandomNumberGenerator {
        var state: UInt64
        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return (state >> 33) | (state << 31)
        }
    }

    private struct World {
        var table = LeaseTable(duration: .seconds(80))
        var random: Generator
        var now = Duration.zero
        var calls: [LeaseTable.Call] = []
        var pauses: [LeaseTable.Call] = []
        var waiting: [UInt64: (item: ItemReference, isAcquire: Bool)] = [:]
        var holds: [ItemReference: Int] = [:]
        var journal: Set<ItemReference> = []
        var lastTicket: UInt64 = 0

        mutating func handle(_ event: LeaseTable.Event) {
            for action in table.handle(event, at: now) {
                switch action {
                case .call(let call):
                    #expect(
                        !calls.contains { $0.item == call.item }, "two calls for one item at once")
                    if call.operation == .lock { #expect(journal.contains(call.item)) }
                    calls.append(call)
                case .pause(let call, let time):
                    #expect(time > .zero)
                    pauses.append(call)
                case .resume(let ticket, let error):
                    guard let caller = waiting.removeValue(forKey: ticket) else {
                        Issue.record("a caller was answered twice")
                        continue
                    }
                    if caller.isAcquire && error == nil { holds[caller.item, default: 0] += 1 }
                case .tell(.taken(let item)): journal.insert(item)
                case .tell(.givenBack(let item)), .tell(.lost(let item, _)): journal.remove(item)
                }
            }
        }

        mutating func newTicket(_ item: ItemReference, isAcquire: Bool) -> UInt64 {
            lastTicket += 1
            waiting[lastTicket] = (item, isAcquire)
            return lastTicket
        }

        mutating func answerOne(_ index: Int, errors: Bool) {
            let call = calls.remove(at: index)
            let kinds: [CloudStorageError.Kind] = [.locked, .unreachable, .notFound, .timedOut]
            guard errors, Int.random(in: 0..<3, using: &random) == 0,
                let kind = kinds.randomElement(using: &random)
            else { return handle(.answered(call, nil)) }
            let error = CloudStorageError(kind, "test", mayHaveHappened: kind == .timedOut)
            handle(.answered(call, error))
        }

        mutating func step(_ items: [ItemReference]) {
            now += .seconds(Int.random(in: 0...9, using: &random))
            guard let item = items.randomElement(using: &random) else { return }
            switch Int.random(in: 0..<10, using: &random) {
            case 0...2: handle(.acquire(item, newTicket(item, isAcquire: true)))
            case 3, 4:
                guard let count = holds[item], count > 0 else { return }
                holds[item] = count - 1
                handle(.release(item, newTicket(item, isAcquire: false)))
            case 5: if let ticket = waiting.keys.min() { cancel(ticket) }
            case 6: handle(.tick)
            case 7: if !pauses.isEmpty { handle(.pauseOver(pauses.removeFirst())) }
            default:
                guard !calls.isEmpty else { return }
                answerOne(Int.random(in: 0..<calls.count, using: &random), errors: true)
            }
        }

        mutating func cancel(_ ticket: UInt64) {
            handle(.cancel(ticket))
            #expect(waiting[ticket] == nil)
        }
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func everyCallerIsAnsweredOnceAndEveryLockGivenBack(seed: UInt64) {
        var world = World(random: Generator(state: seed))
        let items = ["a", "b"].map(file)
        for _ in 0..<400 { world.step(items) }
        // Everybody lets go, the server answers all: nothing may be left.
        for (item, count) in world.holds {
            for _ in 0..<count {
                world.handle(.release(item, world.newTicket(item, isAcquire: false)))
            }
        }
        world.holds = [:]
        var rounds = 0
        while !world.calls.isEmpty || !world.pauses.isEmpty || !world.holds.isEmpty {
            rounds += 1
            guard rounds < 1000 else {
                Issue.record("the table never comes to rest")
                return
            }
            if !world.calls.isEmpty { world.answerOne(0, errors: false) }
            if !world.pauses.isEmpty { world.handle(.pauseOver(world.pauses.removeFirst())) }
            for (item, count) in world.holds where count > 0 {
                world.handle(.release(item, world.newTicket(item, isAcquire: false)))
                world.holds[item] = count == 1 ? nil : count - 1
            }
            world.holds = world.holds.filter { $0.value > 0 }
        }
        #expect(world.waiting.isEmpty)
        #expect(world.table.items.isEmpty)
        #expect(world.table.nextRenewal == nil)
        #expect(world.journal.isEmpty)
    }

    @Test func aRefusalReachesEveryWaiterOfTheOneCall() {
        var table = LeaseTable(duration: .seconds(80))
        var calls: [LeaseTable.Call] = []
        var answers: [UInt64: CloudStorageError.Kind] = [:]
        func sort(_ actions: [LeaseTable.Action]) {
            for action in actions {
                switch action {
                case .call(let call): calls.append(call)
                case .resume(let ticket, let error): answers[ticket] = error?.kind
                case .tell, .pause: break
                }
            }
        }
        for ticket in 1...3 as ClosedRange<UInt64> {
            sort(table.handle(.acquire(file("a"), ticket), at: .zero))
        }
        #expect(calls.count == 1)
        let refusal = CloudStorageError(.locked, "somebody else has it")
        for call in calls { sort(table.handle(.answered(call, refusal), at: .zero)) }
        #expect(answers == [1: .locked, 2: .locked, 3: .locked])
        #expect(table.items.isEmpty)
    }

    @Test func anAnswerThatComesTooLateChangesNothing() throws {
        var table = LeaseTable(duration: .seconds(80))
        let actions = table.handle(.acquire(file("a"), 1), at: .zero)
        var call: LeaseTable.Call?
        for case .call(let first) in actions { call = first }
        let late = try #require(call)
        _ = table.handle(.rekey(from: file("a"), to: nil), at: .zero)
        let answers = table.handle(.answered(late, nil), at: .zero)
        #expect(answers.isEmpty)
        #expect(table.items.isEmpty)
    }

    @Test func aLeaseIsRenewedAtHalfItsDurationFromWhenItWasAskedFor() throws {
        var table = LeaseTable(duration: .seconds(80))
        func call(_ actions: [LeaseTable.Action]) throws -> LeaseTable.Call {
            for case .call(let call) in actions { return call }
            throw CloudStorageError(.invalidRequest, "no call")
        }
        let lock = try call(table.handle(.acquire(file("a"), 1), at: .seconds(100)))
        _ = table.handle(.answered(lock, nil), at: .seconds(110))
        #expect(table.nextRenewal == .seconds(140))
        let early = table.handle(.tick, at: .seconds(139))
        #expect(early.isEmpty)
        let renewal = try call(table.handle(.tick, at: .seconds(140)))
        #expect(renewal.operation == .renew)
        #expect(table.nextRenewal == nil)
        _ = table.handle(.answered(renewal, nil), at: .seconds(150))
        #expect(table.nextRenewal == .seconds(179.5))
        let next = try call(table.handle(.tick, at: .seconds(185)))
        let offline = CloudStorageError(.unreachable, "no network")
        _ = table.handle(.answered(next, offline), at: .seconds(190))
        #expect(table.nextRenewal == .seconds(200))
        #expect(table.held == [file("a")])
    }

    @Test func locksTakenAtOnceAreNotRenewedAtOnce() {
        var table = LeaseTable(duration: .seconds(80))
        for number in 1...8 as ClosedRange<UInt64> {
            for case .call(let call) in table.handle(.acquire(file("\(number)"), number), at: .zero)
            {
                _ = table.handle(.answered(call, nil), at: .zero)
            }
        }
        var renewals: [Int] = []
        for second in 0...40 {
            let calls = table.handle(.tick, at: .seconds(second)).filter {
                if case .call = $0 { true } else { false }
            }
            if !calls.isEmpty { renewals.append(second) }
        }
        #expect(renewals.first ?? 0 >= 36)
        #expect(renewals.count >= 4)
    }

    /// Ten minutes without a network, an expired token and a restart of the server.
    @Test func aLockOutlivesAnHourOfTrouble() {
        let duration = 1_800
        var table = LeaseTable(duration: .seconds(duration))
        var lockedUntil = 0
        var waiting: [(call: LeaseTable.Call, at: Int)] = []
        func failure(at second: Int) -> CloudStorageError? {
            switch second {
            case 880..<1_480: CloudStorageError(.unreachable, "no network")
            case 1_700..<1_800: CloudStorageError(.signInRequired, "the token has expired")
            case 2_400..<2_460: CloudStorageError(.temporarilyUnavailable, "it is starting")
            default: nil
            }
        }
        func take(_ actions: [LeaseTable.Action], _ second: Int) {
            for case .call(let call) in actions { waiting.append((call, second + 3)) }
        }
        take(table.handle(.acquire(file("a"), 1), at: .zero), 0)
        for second in 0..<3_600 {
            take(table.handle(.tick, at: .seconds(second)), second)
            for (call, _) in waiting.filter({ $0.at <= second }) {
                let error = failure(at: second)
                if error == nil { lockedUntil = second + duration }
                take(table.handle(.answered(call, error), at: .seconds(second)), second)
            }
            waiting.removeAll { $0.at <= second }
            #expect(second < 3 || second < lockedUntil, "at \(second)")
        }
        #expect(table.held == [file("a")])
    }
}
