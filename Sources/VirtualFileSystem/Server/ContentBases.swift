import CloudStorage
import FileSystemTypes
import FoundationEssentials
import Logging
import StateStore
import Synchronization

/// The version that parts of an unsent content still have to come from, on record once the server
/// no longer has it there: without it the content would be taken up again with holes.
struct ContentBase: Codable, Sendable, Hashable {
    static let intentKind = "base"

    var inode: UInt64
    var reference: ItemReference
    var revision: String?
    var size: Int64

    var server: ServerSide { ServerSide(reference: reference, revision: revision, size: size) }
}

extension VirtualFileSystem {
    /// Records bases; the first of a content counts until the content is stored.
    func recordBases(_ bases: [UInt64: ServerSide]) -> [StateChange] {
        bases.sorted { $0.key < $1.key }.compactMap { inode, server in
            let base = ContentBase(
                inode: inode, reference: server.reference, revision: server.revision,
                size: server.size)
            let id = store.allocateIntentID()
            let isNew = contentBases.withLock { bases in
                guard bases[inode] == nil else { return false }
                bases[inode] = (id, base)
                return true
            }
            guard isNew else { return nil }
            do {
                let payload = Array(try JSONEncoder().encode(base))
                return .putIntent(
                    Intent(
                        id: id, kind: ContentBase.intentKind, payload: payload,
                        createdAt: SystemClocks.now()))
            } catch {
                logger.error("can't record a content's base", metadata: ["error": "\(error)"])
                return nil
            }
        }
    }

    /// The server has all of the content.
    func forgetBase(_ inode: InodeNumber) -> [StateChange] {
        contentBases.withLock { $0.removeValue(forKey: inode.rawValue) }
            .map { [.removeIntent($0.intent)] } ?? []
    }

    /// Takes up the records of an earlier run; those of contents that are no more go.
    func loadBases() async throws(FileSystemError) {
        for intent in try await store.intents() where intent.kind == ContentBase.intentKind {
            let base: ContentBase
            do {
                base = try JSONDecoder().decode(ContentBase.self, from: Data(intent.payload))
            } catch {
                throw FileSystemError(.inputOutput, "a recorded base can't be read: \(error)")
            }
            guard try await store.record(InodeNumber(base.inode))?.missingContent.isEmpty == false
            else {
                store.enqueue([.removeIntent(intent.id)])
                continue
            }
            contentBases.withLock { $0[base.inode] = (intent.id, base) }
        }
    }
}
