import FileSystemTypes
import StateStore
import Testing

@Suite struct PendingChangesTests {
    /// What a list of changes leaves in an empty table, by a direct reading of `StateChange`.
    private struct Model: Equatable {
        var rows: [InodeNumber: InodeRecord] = [:]
        var attributes: [InodeNumber: [String: [UInt8]]] = [:]
        var intents: [Int64: Intent] = [:]
        var values: [String: String] = [:]

        init(_ changes: [StateChange]) { for change in changes { apply(change) } }

        private mutating func apply(_ change: StateChange) {
            switch change {
            case .put(let record): rows[record.inode] = record
            case .remove(let inode, _):
                rows[inode] = nil
                attributes[inode] = nil
            case .removeSubtree(let top, _):
                let children = rows.values.filter { $0.parent == top && $0.inode != top }
                apply(.remove(top))
                for child in children { apply(.removeSubtree(child.inode)) }
            case .setAttribute(let inode, let name, let value):
                attributes[inode, default: [:]][name] = value
            case .removeAttribute(let inode, let name):
                attributes[inode]?[name] = nil
                if attributes[inode]?.isEmpty == true { attributes[inode] = nil }
            case .putIntent(let intent): intents[intent.id] = intent
            case .removeIntent(let id): intents[id] = nil
            case .setValue(let key, let value): values[key] = value
            }
        }
    }

    private func randomChange(_ random: inout SeededGenerator) -> StateChange {
        let inode = InodeNumber(.random(in: 2...40, using: &random))
        let name = ["a", "b"].randomElement(using: &random) ?? "a"
        let byte = UInt8.random(in: 0...255, using: &random)
        switch Int.random(in: 0...100, using: &random) {
        case 0 where Int.random(in: 0..<10, using: &random) == 0: return .removeSubtree(inode)
        case 1...10: return .remove(inode)
        case 11...60:
            // Parents have lower numbers: a tree.
            let parent = InodeNumber(.random(in: 1..<inode.rawValue, using: &random))
            var record = InodeRecord.file(inode, parent: parent)
            record.size = Int64(byte)
            return .put(record)
        case 61...75: return .setAttribute(inode, name: name, value: [byte])
        case 76...85: return .removeAttribute(inode, name: name)
        case 86...90:
            return .putIntent(
                Intent(
                    id: Int64(inode.rawValue), kind: name, payload: [byte],
                    createdAt: FileTime(seconds: 0)))
        case 91...94: return .removeIntent(Int64(inode.rawValue))
        default: return .setValue(key: name, value: "\(byte)")
        }
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func droppingOverwrittenChangesChangesNothing(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        var pending = PendingChanges<Int>()
        var all: [StateChange] = []
        for _ in 0..<70_000 {
            let change = randomChange(&random)
            all.append(change)
            _ = pending.add([change], waiter: nil, durability: .normal)
        }
        let kept = pending.takeBatch()?.changes ?? []
        #expect(kept.count < PendingChanges<Int>.behindLimit / 2)
        #expect(Model(kept) == Model(all))
    }

    @Test func changesOfAFailedBatchComeBeforeNewerOnes() throws {
        var pending = PendingChanges<Int>()
        var duty = pending.add([.setValue(key: "k", value: "1")], waiter: 7, durability: .full)
        #expect(duty == .run)
        duty = pending.add([.setValue(key: "k", value: "2")], waiter: 8, durability: .normal)
        #expect(duty == .nothing)
        let taken = pending.takeBatch()
        let first = try #require(taken)
        #expect(first.waiters == [7, 8])
        #expect(first.durability == .full)
        duty = pending.add([.setValue(key: "k", value: "3")], waiter: nil, durability: .normal)
        #expect(duty == .runWhenFree)
        pending.failed(FileSystemError(.noSpace, "full"), returning: first.changes)
        #expect(pending.failure?.code == .noSpace)
        let again = pending.takeBatch()
        let second = try #require(again)
        #expect(Model(second.changes).values == ["k": "3"])
        // What a later change overwrites is not written.
        #expect(second.changes.count == 1)
        #expect(second.durability == .normal)
        // Nobody would hear of another failure, so nobody causes one.
        duty = pending.add([], waiter: nil, durability: .normal)
        #expect(duty == .nothing)
        duty = pending.add([], waiter: 9, durability: .normal)
        #expect(duty == .run)
        pending.succeeded()
        #expect(pending.failure == nil)
    }

    @Test func onlyFullDurabilityWithNothingAfterItIsStable() {
        var pending = PendingChanges<Int>()
        #expect(!pending.isStable)
        pending.wrote(.full)
        #expect(pending.isStable)
        pending.failed(
            FileSystemError(.noSpace, "full"), returning: [.setValue(key: "k", value: "1")])
        pending.wrote(.normal)
        #expect(!pending.isStable && pending.failure == nil)
        pending.wrote(.full)
        #expect(pending.isStable)
    }

    @Test func whatNobodyWaitsForIsWrittenTogether() throws {
        var pending = PendingChanges<Int>()
        func change(_ key: String) -> [StateChange] { [.setValue(key: key, value: "1")] }
        var duty = pending.add(change("a"), waiter: nil, durability: .normal)
        #expect(duty == .runWhenFree)
        duty = pending.add(change("b"), waiter: nil, durability: .normal)
        #expect(duty == .nothing)
        #expect(pending.isCalm)
        let mustRun = pending.threadIsFree()
        #expect(mustRun)
        #expect(!pending.isCalm)
        let taken = pending.takeBatch()
        #expect(try #require(taken).changes.count == 2)
        // A commit that came first has taken it along.
        duty = pending.add(change("a"), waiter: nil, durability: .normal)
        #expect(duty == .runWhenFree)
        duty = pending.add([], waiter: 7, durability: .normal)
        #expect(duty == .run)
        _ = pending.takeBatch()
        let mustRunAgain = pending.threadIsFree()
        #expect(!mustRunAgain)
        #expect(pending.isCalm)
    }

    /// A thread describes an inode, is held up, and hands the row over after a newer one.
    @Test func anOlderRowNeverReplacesANewerOne() {
        var pending = PendingChanges<Int>()
        func row(_ name: String, _ version: UInt64) -> InodeRecord {
            var record = InodeRecord(
                inode: InodeNumber(7), parent: .root, name: name, kind: .file)
            record.version = version
            return record
        }
        _ = pending.add([.put(row("saved", 2))], waiter: nil, durability: .normal)
        let first = pending.takeBatch()
        _ = pending.add(
            [.put(row("late", 1)), .setValue(key: "k", value: "1")], waiter: 1, durability: .normal)
        let second = pending.takeBatch()
        #expect(Model(first?.changes ?? []).rows[InodeNumber(7)]?.name == "saved")
        #expect(second?.changes.count == 1)
        #expect(second?.waiters == [1])
        _ = pending.add([.put(row("next", 3))], waiter: nil, durability: .normal)
        let third = pending.takeBatch()
        #expect(third?.changes.count == 1)
    }

    /// A thread describes an inode, is held up, and hands the row over after the row's end.
    @Test(arguments: [
        StateChange.remove(InodeNumber(7), version: 2),
        .removeSubtree(InodeNumber(7), version: 2),
    ])
    func aRowThatHasEndedDoesNotComeBack(_ end: StateChange) {
        var pending = PendingChanges<Int>()
        func row(_ version: UInt64) -> StateChange {
            var record = InodeRecord(inode: InodeNumber(7), parent: .root, name: "a", kind: .file)
            record.version = version
            return .put(record)
        }
        _ = pending.add([end], waiter: nil, durability: .normal)
        _ = pending.add([row(1)], waiter: nil, durability: .normal)
        let ended = pending.takeBatch().map { Model($0.changes).rows.count }
        #expect(ended == 0)
        // What was described after it is another life of the number, and outlives a late end.
        _ = pending.add([row(3), end], waiter: nil, durability: .normal)
        let next = pending.takeBatch().map { Model($0.changes).rows.count }
        #expect(next == 1)
    }

    @Test func aLongQueueIsBehind() {
        var pending = PendingChanges<Int>()
        let changes = (0..<UInt64(PendingChanges<Int>.behindLimit)).map {
            StateChange.remove(InodeNumber($0))
        }
        #expect(!pending.isBehind)
        _ = pending.add(changes, waiter: nil, durability: .normal)
        #expect(pending.isBehind)
        _ = pending.takeBatch()
        #expect(!pending.isBehind)
    }
}
