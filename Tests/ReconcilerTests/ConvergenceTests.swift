import CloudStorage
import Testing

import Reconciler

private let root = RootIdentifier("1")
private let top = FolderKey(root: root, id: nil)
private let other = FolderKey(root: root, id: "7")

private func file(_ id: String) -> ItemReference {
    ItemReference(root: root, kind: .file, id: id, path: "/\(id)")
}

/// A server that refuses taken names, as API v2 does.
private struct ModelServer {
    var places: [String: Placement]
    var calls = 0

    mutating func apply(_ step: ConvergenceStep, goals: [Goal]) {
        calls += 1
        switch step {
        case .rename(let goal, let name): relocate(goals[goal]) { $0.name = name }
        case .move(let goal, let folder): relocate(goals[goal]) { $0.folder = folder }
        case .relocate(let goal, let place): relocate(goals[goal]) { $0 = place }
        case .delete(let goal):
            #expect(places.removeValue(forKey: goals[goal].item.id ?? "") != nil)
        }
    }

    private mutating func relocate(_ goal: Goal, _ change: (inout Placement) -> Void) {
        let id = goal.item.id ?? ""
        guard var place = places[id] else {
            Issue.record("call on an item that is gone")
            return
        }
        change(&place)
        #expect(!places.values.contains(place), "name conflict at \(place)")
        places[id] = place
    }

    func whereabouts(_ goals: [Goal]) -> [Convergence.Whereabouts] {
        goals.map { places[$0.item.id ?? ""].map { .at($0) } ?? .deleted }
    }

    mutating func converge(_ convergence: Convergence, oneCall: Bool) {
        let inside = Set(convergence.goals.compactMap(\.item.id))
        while let step = convergence.nextStep(
            current: whereabouts(convergence.goals), relocatesInOneCall: oneCall,
            isTaken: { place in
                places.contains { !inside.contains($0.key) && $0.value == place }
            })
        {
            apply(step, goals: convergence.goals)
            guard calls < 20 else {
                Issue.record("does not end")
                return
            }
        }
    }
}

@Suite struct ConvergenceTests {
    @Test func renameInPlaceIsOneCall() {
        var server = ModelServer(places: ["a": Placement(folder: top, name: "x")])
        let goal = Goal(
            item: file("a"), place: Placement(folder: top, name: "y"), temporaryName: "t")
        server.converge(Convergence(goals: [goal]), oneCall: false)
        #expect(server.calls == 1)
        #expect(server.places["a"] == Placement(folder: top, name: "y"))
    }

    @Test func replacingNeverMeetsATakenName() {
        var server = ModelServer(places: [
            "new": Placement(folder: top, name: ".ordner-1.txt"),
            "old": Placement(folder: top, name: "a.txt"),
        ])
        let goals = [
            Goal(
                item: file("new"), place: Placement(folder: top, name: "a.txt"), temporaryName: "t1"
            ),
            Goal(item: file("old"), place: nil, temporaryName: "t2"),
        ]
        server.converge(Convergence(goals: goals), oneCall: false)
        #expect(server.calls == 3)
        #expect(server.places == ["new": Placement(folder: top, name: "a.txt")])
    }

    @Test func exchangeBetweenFolders() {
        var server = ModelServer(places: [
            "a": Placement(folder: top, name: "x"), "b": Placement(folder: other, name: "y"),
        ])
        let goals = [
            Goal(item: file("a"), place: Placement(folder: other, name: "y"), temporaryName: "t1"),
            Goal(item: file("b"), place: Placement(folder: top, name: "x"), temporaryName: "t2"),
        ]
        server.converge(Convergence(goals: goals), oneCall: false)
        #expect(server.places["a"] == Placement(folder: other, name: "y"))
        #expect(server.places["b"] == Placement(folder: top, name: "x"))
    }

    /// Every arrangement of up to three items over two folders and three names, with a stranger in
    /// the way of intermediate names, from every state a crash can leave behind.
    @Test(arguments: [false, true])
    func everyArrangementConverges(oneCall: Bool) {
        let places = [top, other].flatMap { folder in
            ["p", "q", "r"].map { Placement(folder: folder, name: $0) }
        }
        var seen = 0
        for first in places {
            for second in places where second != first {
                for stranger in places where stranger != first && stranger != second {
                    for target in places where target != stranger {
                        for secondGoal in places + [nil]
                        where secondGoal != target && secondGoal != stranger {
                            var server = ModelServer(places: [
                                "a": first, "b": second, "s": stranger,
                            ])
                            let goals = [
                                Goal(item: file("a"), place: target, temporaryName: "t1"),
                                Goal(item: file("b"), place: secondGoal, temporaryName: "t2"),
                            ]
                            server.converge(Convergence(goals: goals), oneCall: oneCall)
                            #expect(server.places["a"] == target)
                            #expect(server.places["b"] == secondGoal)
                            #expect(server.places["s"] == stranger)
                            seen += 1
                        }
                    }
                }
            }
        }
        #expect(seen > 2_000)
    }

    @Test func namesKeepTheirExtension() {
        #expect(TemporaryName.make(for: "a.odt", unique: "1f") == ".ordner-1f.odt")
        #expect(TemporaryName.make(for: ".profile", unique: "1f") == ".ordner-1f")
        #expect(
            ConflictName.make(for: "a.b.odt", host: "h", date: "2026-01-02 03.04.05", attempt: 1)
                == "a.b (conflict h 2026-01-02 03.04.05).odt")
        let long = String(repeating: "ü", count: 130) + ".txt"
        let conflict = ConflictName.make(for: long, host: "h", date: "d", attempt: 2)
        #expect(conflict.utf8.count <= 255)
        #expect(conflict.hasSuffix(" (conflict h d 2).txt"))
    }
}
