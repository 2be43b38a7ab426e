import GRDB
import HummingbirdCore
import LeitzCloudAPI
import NIOCore

/// The POST calls that change the tree, uploads apart.
struct ChangeCalls: Sendable {
    /// Longest lock in minutes: a year.
    static let maximumLock: Int64 = 525_600
    static let defaultLock: Int64 = 60

    let services: CloudServices
    let context: CallContext

    func run(_ call: Route.Call, _ fields: FormFields) async throws -> Response {
        switch call {
        case .createFolder(let address):
            let name = try fields.required("name")
            return Response(json: try await createFolder(address, name))
        case .rename(let address):
            let name = try fields.required("name")
            return try await change { try $0.rename(address, to: name) }
        case .move(let address):
            let target = try Self.target(fields)
            return try await change { try $0.move(address, into: target) }
        case .delete(let address): return try await change { try $0.delete(address) }
        case .lock(let address):
            let minutes = try Self.duration(fields)
            return try await change { try $0.lock(address, minutes: minutes) }
        case .unlock(let address): return try await change { try $0.unlock(address) }
        case .share(let address):
            let wishes = try ShareWishes(fields)
            let context = context
            let share = try await services.database.write { db in
                try Tree(db, context).share(address, wishes)
            }
            return try Response(json: share)
        default: throw APIError.notFound
        }
    }

    private func change(_ body: @escaping @Sendable (Tree) throws -> Void) async throws -> Response
    {
        let context = context
        try await services.database.write { db in try body(Tree(db, context)) }
        return try Response.ok()
    }

    private func createFolder(_ address: ItemAddress, _ name: String) async throws -> ByteBuffer {
        let context = context
        return try await services.database.write { db in
            let tree = try Tree(db, context)
            let chain = try tree.createFolder(in: address, name: name)
            let above = FolderChain(folders: Array(chain.folders.dropFirst()))
            var encoder = ItemEncoder(options: ListingOptions(), permissions: [])
            let item = try encoder.item(
                chain.folder, path: chain.path, inherited: above.locks, tree)
            var buffer = ByteBuffer()
            ItemJSON.write(item, to: &buffer)
            return buffer
        }
    }

    /// Missing and empty mean the root's top level; 0 does not (FACTS 1.9).
    private static func target(_ fields: FormFields) throws(APIError) -> Int64? {
        guard let text = fields["to_folder_id"], !text.isEmpty else { return nil }
        guard let id = Int64(text) else { throw .invalid("to_folder_id") }
        return id
    }

    private static func duration(_ fields: FormFields) throws(APIError) -> Int64 {
        guard let text = fields["duration"], !text.isEmpty else { return defaultLock }
        guard let minutes = Int64(text), (1...maximumLock).contains(minutes) else {
            throw .invalid("duration")
        }
        return minutes
    }
}
