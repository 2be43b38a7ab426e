import CloudStorage
import FileSystemTypes
import FoundationEssentials
import StateStore

/// A move on a path-addressed cloud, on record before it is made: after a crash, or an answer that
/// was lost, the item may be at either place.
struct MoveRecord: Codable, Sendable, Hashable {
    static let intentKind = "move"
    /// The newest are kept: the state table knows the outcome of older ones.
    static let limit = 32

    struct End: Codable, Sendable, Hashable {
        var folder: ItemReference
        var name: String

        var place: PathTable.Place {
            PathTable.Place(folder: ItemKey(folder), name: NameKey(name))
        }
    }

    var item: ItemReference
    var from: End
    var to: End

    var key: ItemKey { ItemKey(item) }

    /// Throws only for values that no JSON can hold, which these never have.
    func payload() throws(FileSystemError) -> [UInt8] {
        do {
            return Array(try JSONEncoder().encode(self))
        } catch {
            throw FileSystemError(.inputOutput, "can't record a move: \(error)")
        }
    }

    init(item: ItemReference, from: End, to: End) {
        self.item = item
        self.from = from
        self.to = to
    }

    init(payload: [UInt8]) throws(FileSystemError) {
        do {
            self = try JSONDecoder().decode(MoveRecord.self, from: Data(payload))
        } catch {
            throw FileSystemError(.inputOutput, "a recorded move can't be read: \(error)")
        }
    }
}
