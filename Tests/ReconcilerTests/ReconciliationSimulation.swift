import FileSystemTypes
import Reconciler
import TestSupport

/// A machine whose names and contents change at random, a server that refuses what servers refuse,
/// and the reconciler between them. No clock and no I/O: a seed repeats everything.
struct ReconciliationSimulation {
    struct Node {
        var kind: Difference.Kind
        var parent: UInt64
        var name: String
        var isRemoved = false
        /// The item of the server it stands for.
        var item: Int?
        /// Grows with every content; the server has `saved`.
        var content = 0
        var saved = 0
        var isOpen = false
        var isHeld = false
        var changedAt = 0.0
    }

    struct Item {
        var kind: Difference.Kind
        /// Nil for the top.
        var parent: Int?
        var name: String
        var content = 0
    }

    /// A job under way: what it was to do when it began, and whether the server has done it.
    struct Running {
        var job: ReconciliationJob
        var goal: NodePlace?
        var content = 0
        var isDone = false
    }

    static let top: UInt64 = 1

    var random: SeededRandom
    var work = Reconciliation(
        pace: ReconciliationPace(
            settleSeconds: 1, removalSeconds: 2, firstRetry: 1, longestRetry: 8, lockedRetry: 3,
            width: 4, bulkWidth: 1))
    var nodes: [UInt64: Node] = [:]
    var items: [Int: Item] = [:]
    var running: [Running] = []
    /// Folders that programs have open.
    var reading: Set<UInt64> = []
    var now = 0.0
    var lastNode: UInt64 = 1
    var lastItem = 0
    var lastContent = 0
    var lastAside = 0
    var jobs = 0
    /// What was impossible, or never ended.
    var failure: String?
    /// The last things that happened.
    var log: [String] = []

    init(seed: UInt64) {
        random = SeededRandom(seed: seed)
        nodes[Self.top] = Node(kind: .folder, parent: Self.top, name: "", item: 0)
        items[0] = Item(kind: .folder, parent: nil, name: "")
    }

    mutating func run(steps: Int) {
        for step in 0..<steps where failure == nil {
            switch Int.random(in: 0..<10, using: &random) {
            case 0..<4: changeSomething()
            case 4..<6: beginJobs(1)
            case 6..<9: advanceJob(mayFail: true)
            default:
                now += Double.random(in: 0..<2, using: &random)
                changePrograms()
            }
            if step % 250 == 249 { quiet() }
        }
        quiet()
    }

    /// Programs open and close folders, and become busy or idle.
    private mutating func changePrograms() {
        work.programsAreBusy = Int.random(in: 0..<4, using: &random) == 0
        guard let folder = nodes.keys.sorted().randomElement(using: &random) else { return }
        if reading.remove(folder) == nil { reading.insert(folder) }
    }

    mutating func note(_ text: String) {
        log.append(text)
        if log.count > 60 { log.removeFirst() }
    }

    mutating func fail(_ text: String) { if failure == nil { failure = text } }

    // MARK: The two sides

    func owner(of item: Int?) -> UInt64? {
        guard let item else { return nil }
        return nodes.first { $0.value.item == item }?.key
    }

    func home(of node: Node) -> NodePlace? {
        guard let item = node.item.flatMap({ items[$0] }), let folder = owner(of: item.parent)
        else { return nil }
        return NodePlace(folder: folder, name: item.name)
    }

    mutating func compare(_ id: UInt64) {
        guard id != Self.top, let node = nodes[id] else { return work.set(id, nil) }
        if node.isRemoved && node.item == nil { return work.set(id, nil) }
        var content = Difference.Content.none
        if !node.isRemoved, node.kind == .file, node.content != node.saved {
            content = node.isOpen ? .open : .ready(size: 1)
        }
        work.set(
            id,
            Difference(
                kind: node.kind,
                wanted: node.isRemoved
                    ? nil : NodePlace(folder: node.parent, name: node.name),
                home: home(of: node), content: content, isHeld: node.isHeld && node.isRemoved,
                changedAt: node.changedAt,
                expectation: node.isOpen ? .moreContent : node.name == "c" ? .otherName : .nothing))
    }

    func children(of folder: UInt64) -> [UInt64] {
        nodes.filter { $0.value.parent == folder && !$0.value.isRemoved && $0.key != Self.top }
            .keys.sorted()
    }

    func child(of folder: UInt64, _ name: String) -> UInt64? {
        children(of: folder).first { nodes[$0]?.name == name }
    }

    func isBelow(_ id: UInt64, _ ancestor: UInt64) -> Bool {
        var here = id
        while here != Self.top {
            if here == ancestor { return true }
            here = nodes[here]?.parent ?? Self.top
        }
        return ancestor == Self.top
    }

    // MARK: The end

    /// Lets everything come to rest, and compares the sides.
    mutating func quiet() {
        for id in nodes.keys.sorted() {
            nodes[id]?.isOpen = false
            nodes[id]?.isHeld = false
            compare(id)
        }
        work.expedite(Array(work.items).sorted())
        var rounds = 0
        while failure == nil, !work.isEmpty || !running.isEmpty {
            rounds += 1
            beginJobs(8)
            if !running.isEmpty {
                advanceJob(mayFail: false)
            } else if let time = work.nextTime {
                now = max(now, time)
            } else {
                fail("stuck: \(stuck())")
            }
            if rounds > 20_000 { fail("does not end: \(stuck())") }
        }
        guard failure == nil else { return }
        let wanted = Set(nodes.keys.filter { nodes[$0]?.isRemoved == false }.map(localPath))
        let found = Set(items.keys.map(serverPath))
        if wanted != found {
            fail("here \(wanted.subtracting(found)), there \(found.subtracting(wanted))")
        }
        nodes = nodes.filter { !$0.value.isRemoved }
    }

    private func stuck() -> String {
        work.items.sorted().map { "\($0): \(work.difference(of: $0).map { "\($0)" } ?? "")" }
            .joined(separator: "\n")
    }

    private func localPath(_ id: UInt64) -> String {
        guard id != Self.top, let node = nodes[id] else { return "" }
        return localPath(node.parent) + "/" + node.name
            + (node.kind == .file ? "=\(node.content)" : "")
    }

    private func serverPath(_ id: Int) -> String {
        guard let item = items[id], let parent = item.parent else { return "" }
        return serverPath(parent) + "/" + item.name
            + (item.kind == .file ? "=\(item.content)" : "")
    }
}

// MARK: The machine

extension ReconciliationSimulation {
    mutating func changeSomething() {
        let folders = nodes.keys.filter {
            nodes[$0]?.kind == .folder && nodes[$0]?.isRemoved == false
        }.sorted()
        let parent = folders.randomElement(using: &random) ?? Self.top
        let name = ["a", "b", "c"].randomElement(using: &random) ?? "a"
        let existing = child(of: parent, name)
        switch Int.random(in: 0..<12, using: &random) {
        case 0..<3: if existing == nil { add(.file, parent, name) }
        case 3: if existing == nil, folders.count < 8 { add(.folder, parent, name) }
        case 4: if let existing { write(existing) }
        case 5:
            if let id = nodes.keys.filter({ nodes[$0]?.isOpen == true }).sorted()
                .randomElement(using: &random)
            {
                nodes[id]?.isOpen = false
                touch(id)
            }
        case 6..<9: if let existing { rename(existing, folders) }
        case 9: if let existing { exchange(existing) }
        default: if let existing { remove(existing) }
        }
    }

    private mutating func touch(_ id: UInt64) {
        nodes[id]?.changedAt = now
        compare(id)
    }

    private mutating func add(_ kind: Difference.Kind, _ parent: UInt64, _ name: String) {
        lastNode += 1
        nodes[lastNode] = Node(kind: kind, parent: parent, name: name)
        note("add \(lastNode) \(kind) as \(name) in \(parent)")
        if kind == .file { write(lastNode) } else { touch(lastNode) }
    }

    private mutating func write(_ id: UInt64) {
        guard nodes[id]?.kind == .file else { return }
        lastContent += 1
        nodes[id]?.content = lastContent
        nodes[id]?.isOpen = Int.random(in: 0..<3, using: &random) == 0
        note("write \(id)")
        touch(id)
    }

    private mutating func rename(_ id: UInt64, _ folders: [UInt64]) {
        guard let node = nodes[id], let parent = folders.randomElement(using: &random) else {
            return
        }
        let name = ["a", "b", "c"].randomElement(using: &random) ?? "a"
        if node.kind == .folder, isBelow(parent, id) { return }
        if let target = child(of: parent, name) {
            guard target != id, nodes[target]?.kind == node.kind,
                node.kind == .file || children(of: target).isEmpty
            else { return }
            remove(target)
        }
        note("rename \(id) to \(name) in \(parent)")
        nodes[id]?.parent = parent
        nodes[id]?.name = name
        touch(id)
    }

    private mutating func exchange(_ id: UInt64) {
        let others = nodes.keys.filter { $0 != Self.top && nodes[$0]?.isRemoved == false }.sorted()
        guard let other = others.randomElement(using: &random), let one = nodes[id],
            let two = nodes[other], !isBelow(id, other), !isBelow(other, id)
        else { return }
        note("exchange \(id) and \(other)")
        nodes[id]?.parent = two.parent
        nodes[id]?.name = two.name
        nodes[other]?.parent = one.parent
        nodes[other]?.name = one.name
        touch(id)
        touch(other)
    }

    private mutating func remove(_ id: UInt64) {
        guard let node = nodes[id], children(of: id).isEmpty else { return }
        note("remove \(id)")
        nodes[id]?.isRemoved = true
        nodes[id]?.isHeld = node.kind == .file && Int.random(in: 0..<8, using: &random) == 0
        touch(id)
    }
}
