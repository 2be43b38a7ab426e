import CloudStorage
import FileSystemTypes
import Logging
import Reconciler
import StateStore
import Synchronization

/// The calls that bring items to their goals, and a look at where items are.
extension VirtualFileSystem {
    /// Makes the calls one by one until every goal is reached.
    ///
    /// - Parameter found: the items as they were found at the places in `start`, in the goals' order,
    ///   where somebody has looked: then nil is returned for those that are gone, and no others.
    func converge(
        _ convergence: Convergence, current start: [Convergence.Whereabouts],
        found: [CloudItem?]? = nil
    ) async throws(CloudStorageError) -> [CloudItem?] {
        var current = start
        var items: [CloudItem?] = found ?? convergence.goals.map { _ in nil }
        var calls = 0
        var taken: Set<Placement> = []
        while let step = convergence.nextStep(
            current: current, relocatesInOneCall: cloud.capabilities.relocatesInOneCall,
            isTaken: { place in
                taken.contains(place) || tree.withLock { $0.isTaken(place) }
            })
        {
            calls += 1
            guard calls < 32 else {
                throw CloudStorageError(.invalidAnswer, "the server's names keep changing")
            }
            let goal = step.goal
            let reference = items[goal]?.reference ?? convergence.goals[goal].item
            do throws(CloudStorageError) {
                items[goal] = try await carryOut(
                    step, on: reference, revision: convergence.goals[goal].revision)
                current[goal] = step.result(from: current[goal])
            } catch {
                // Another client has a name on the way: there are other ways.
                if error.kind == .nameConflict,
                    case .at(let place) = step.result(from: current[goal]),
                    place != convergence.goals[goal].place, taken.insert(place).inserted
                {
                    continue
                }
                guard error.mayHaveHappened || error.kind == .notFound else { throw error }
                let before = current[goal]
                (items[goal], current[goal]) = try await inspect(reference)
                // Then it is the folder it was to go to that is gone.
                if error.kind == .notFound, current[goal] == before { throw error }
            }
        }
        return items
    }

    func carryOut(
        _ step: ConvergenceStep, on item: ItemReference, revision: String?
    ) async throws(CloudStorageError) -> CloudItem? {
        switch step {
        case .rename(_, let name):
            return try await cloud.relocate(item, to: RelocationTarget(name: name))
        case .move(_, let folder):
            return try await cloud.relocate(
                item, to: RelocationTarget(folder: ItemReference(folder)))
        case .relocate(_, let place):
            return try await cloud.relocate(
                item, to: RelocationTarget(folder: ItemReference(place.folder), name: place.name))
        case .delete:
            try await deleteItem(item, revision: revision)
            return nil
        }
    }

    /// Where an item is on the server now.
    func inspect(
        _ reference: ItemReference
    ) async throws(CloudStorageError) -> (CloudItem?, Convergence.Whereabouts) {
        let item: CloudItem
        do throws(CloudStorageError) {
            item = try await cloud.item(reference)
        } catch {
            guard error.kind == .notFound else { throw error }
            return (nil, .deleted)
        }
        return (item, .at(try await placement(of: item)))
    }

    /// The folder and name an item's path says it has.
    func placement(of item: CloudItem) async throws(CloudStorageError) -> Placement {
        if let place = identities?.placement(of: item.reference) {
            return Placement(folder: FolderKey(place.folder), name: place.name)
        }
        let path = item.reference.path
        let parent = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        let root = item.reference.root
        if parent.isEmpty {
            return Placement(folder: FolderKey(root: root, id: nil), name: item.name)
        }
        var folder = ItemReference.top(of: root)
        for part in parent.split(separator: "/") {
            guard let next = try await entry(named: String(part), in: folder) else {
                throw CloudStorageError(.notFound, "the folder of \(item.name) is gone")
            }
            folder = next.reference
        }
        return Placement(folder: FolderKey(folder), name: item.name)
    }
}
