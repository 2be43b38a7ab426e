import FileSystemTypes
import Reconciler

/// The server's side: what a job does there, and what comes of it.
extension ReconciliationSimulation {
    mutating func beginJobs(_ most: Int) {
        for _ in 0..<most {
            let known = nodes
            let reading = reading
            let next = work.next(
                now: now, folderOf: { known[$0]?.parent }, isBeingRead: { reading.contains($0) })
            guard let job = next else { return }
            jobs += 1
            let first = nodes[job.items[0]]
            note("begin \(job)")
            running.append(
                Running(
                    job: job,
                    goal: first.flatMap {
                        $0.isRemoved ? nil : NodePlace(folder: $0.parent, name: $0.name)
                    },
                    content: first?.content ?? 0))
        }
    }

    /// Goes on with one of the jobs: the server does it, or the answer comes.
    mutating func advanceJob(mayFail: Bool) {
        guard let index = running.indices.randomElement(using: &random) else { return }
        if running[index].isDone || isPointless(running[index]) {
            end(running.remove(at: index), .done)
        } else if mayFail, Int.random(in: 0..<6, using: &random) == 0 {
            let results: [ReconciliationResult] = [.retry(after: nil), .waiting, .refused]
            end(running.remove(at: index), results.randomElement(using: &random) ?? .waiting)
        } else {
            apply(running[index])
            running[index].isDone = true
        }
    }

    private mutating func end(_ running: Running, _ result: ReconciliationResult) {
        note("end \(running.job) \(result)")
        if running.isDone { acknowledge(running) }
        for item in running.job.items { compare(item) }
        // Those inside a folder have their homes by its number, which may have gone.
        work.finished(running.job, result, now: now)
    }

    /// Whether the program's later changes have left nothing to do.
    private func isPointless(_ running: Running) -> Bool {
        switch running.job {
        case .makeFolder(let id): return nodes[id]?.item != nil || nodes[id]?.isRemoved != false
        case .store(let id): return nodes[id]?.isRemoved != false
        case .relocate(let id), .stepAside(let id): return nodes[id]?.item == nil
        case .replace(let id, let removed):
            return nodes[id]?.item == nil || nodes[removed]?.item == nil
        case .adopt, .delete, .setTime: return false
        }
    }

    private mutating func apply(_ running: Running) {
        switch running.job {
        case .makeFolder(let id):
            if let goal = running.goal { addItem(for: id, at: goal) }
        case .store(let id):
            if let item = nodes[id]?.item {
                if items[item] == nil { fail("content for what is gone: \(id)") }
                items[item]?.content = running.content
            } else if let goal = running.goal {
                addItem(for: id, at: goal)
            }
        case .relocate(let id):
            if let goal = running.goal { move(id, to: goal) }
        case .setTime: break
        case .stepAside(let id):
            lastAside += 1
            if let item = nodes[id]?.item { items[item]?.name = ".aside\(lastAside)" }
        case .replace(let id, let removed):
            if let item = nodes[removed]?.item {
                if running.goal != nodes[removed].flatMap(home) {
                    fail("replaces what is elsewhere: \(id)")
                }
                items[item] = nil
            }
            if let goal = running.goal { move(id, to: goal) }
        case .adopt: break
        case .delete(let id, let others): delete(id, with: others)
        }
    }

    private mutating func addItem(for id: UInt64, at goal: NodePlace) {
        guard let parent = nodes[goal.folder]?.item, items[parent] != nil else {
            return fail("no parent for \(id)")
        }
        checkFree(parent, goal.name.name, id)
        lastItem += 1
        items[lastItem] = Item(
            kind: nodes[id]?.kind ?? .file, parent: parent, name: goal.name.name)
    }

    private mutating func move(_ id: UInt64, to goal: NodePlace) {
        guard let item = nodes[id]?.item, items[item] != nil else {
            return fail("moves what is gone: \(id)")
        }
        guard let parent = nodes[goal.folder]?.item, items[parent] != nil else {
            return fail("no parent for \(id)")
        }
        if items[item]?.parent == parent, items[item]?.name == goal.name.name { return }
        checkFree(parent, goal.name.name, id)
        var here: Int? = parent
        while let next = here {
            if next == item { return fail("\(id) moves into itself") }
            here = items[next]?.parent
        }
        items[item]?.parent = parent
        items[item]?.name = goal.name.name
    }

    private mutating func checkFree(_ parent: Int, _ name: String, _ id: UInt64) {
        if items.values.contains(where: { $0.parent == parent && $0.name == name }) {
            fail("\(name) in \(parent) is taken, for \(id)")
        }
    }

    private mutating func delete(_ id: UInt64, with others: [UInt64]) {
        guard let item = nodes[id]?.item else { return fail("deletes what is gone: \(id)") }
        let allowed = Set(others.compactMap { nodes[$0]?.item })
        var left = [item]
        while let next = left.popLast() {
            for child in items.keys.filter({ items[$0]?.parent == next }) {
                if !allowed.contains(child) { fail("deletes what was not removed: \(child)") }
                left.append(child)
            }
            items[next] = nil
        }
    }

    // MARK: Answers

    private mutating func acknowledge(_ running: Running) {
        switch running.job {
        case .makeFolder(let id):
            let item = newest(running.goal)
            nodes[id]?.item = item
        case .store(let id):
            if nodes[id]?.item == nil {
                let item = newest(running.goal)
                nodes[id]?.item = item
                if let item { items[item]?.content = running.content }
            }
            nodes[id]?.saved = running.content
        case .relocate, .setTime, .stepAside: break
        case .replace(_, let removed): nodes[removed]?.item = nil
        case .adopt(let id, let removed):
            guard nodes[id]?.item == nil, let item = nodes[removed]?.item else { return }
            nodes[removed]?.item = nil
            nodes[id]?.item = item
            nodes[id]?.saved = 0
        case .delete(let id, let others):
            for id in [id] + others { nodes[id]?.item = nil }
        }
    }

    private func newest(_ goal: NodePlace?) -> Int? {
        guard let goal, let parent = nodes[goal.folder]?.item else { return nil }
        return items.first { $0.value.parent == parent && $0.value.name == goal.name.name }?.key
    }
}
