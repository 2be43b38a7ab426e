import CloudStorage
import FileSystemTypes
import FoundationEssentials
import StateStore

/// A move on a path-addressed cloud, on record before it is made: after a crash, or an answer that
/// was lost, the item may be at either place.
struct MoveRecord: Codable, Sendable, Hashable {
    /// What the records are kept under in the state table.
    static let stateKey = "moves"
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
    static func text(of records: [MoveRecord]) throws(FileSystemError) -> String {
        do {
            return String(decoding: try JSONEncoder().encode(records), as: UTF8.self)
        } catch {
            throw FileSystemError(.inputOutput, "can't record a move: \(error)")
        }
    }

    init(item: ItemReference, from: End, to: End) {
        self.item = item
        self.from = from
        self.to = to
    }

    static func list(in text: String) throws(FileSystemError) -> [MoveRecord] {
        do {
            return try JSONDecoder().decode([MoveRecord].self, from: Data(text.utf8))
        } catch {
            throw FileSystemError(.inputOutput, "the recorded moves can't be read: \(error)")
        }
    }
}
