import GRDB
import HTTPTypes
import HummingbirdCore
import NIOCore

/// MOVE of an upload's `.file` to its destination: the pieces become one file, which is durable
/// before it appears under its name, and the upload is gone with the same transaction.
struct AssembleCall: Sendable {
    let services: CloudServices
    let context: CallContext
    let request: DAVRequest

    func run() async throws -> Response {
        let path = try request.destination()
        let chunks = try await chunks(for: path)
        var sink = UploadSink(store: services.content)
        do {
            for chunk in chunks {
                try await services.chunks.append(chunk.content, size: chunk.size, to: &sink)
            }
            return try await commit(&sink, chunks, path)
        } catch {
            try await sink.discard()
            throw error
        }
    }

    /// The pieces, once everything that can be known before the work has been checked.
    private func chunks(for path: [String]) async throws -> [Uploads.Chunk] {
        let (request, context) = (request, context)
        return try await services.database.read { db in
            let uploads = Uploads(db: db, person: request.caller.person, now: context.now)
            let chunks = try uploads.chunks(of: try uploads.upload(request.path[0]))
            let sum = chunks.reduce(0) { $0 + $1.size }
            if let total = request.number("OC-Total-Length"), total != sum {
                throw DAVError.badRequest(
                    "Chunks on server do not sum up to \(total) but to \(sum) bytes")
            }
            let tree = try DAVTree(db, request.caller, context)
            let goal = try Self.goal(tree, path, request)
            try PutCall.check(sum, room: try tree.room(at: goal), tree.tree.behaviour, path)
            return chunks
        }
    }

    /// A precondition without a URL would be about `.file`, which has no ETag to go by.
    private static func goal(_ tree: DAVTree, _ path: [String], _ request: DAVRequest) throws
        -> DAVTree.Goal
    {
        try tree.check(request.conditions.ifHeader, own: .nowhere, path: path)
        let goal = try tree.contentGoal(path, tokens: request.tokens)
        if goal.replaced != nil, !request.overwrites {
            throw DAVError.preconditionFailed(
                "The destination node already exists, and the overwrite header is set to false",
                header: "Overwrite")
        }
        return goal
    }

    private func commit(_ sink: inout UploadSink, _ chunks: [Uploads.Chunk], _ path: [String])
        async throws -> Response
    {
        let revision = services.content.allocateRevision()
        let size = sink.size
        try await sink.finish(as: revision)
        var context = context
        context.now = services.clock()
        let (request, current) = (request, context)
        let modified = request.modificationTime
        let outcome: (node: DAVNode, isNew: Bool, instance: String)
        do {
            outcome = try await services.database.write(
                syncing: [services.content.folder(of: revision)]
            ) { db in
                let uploads = Uploads(db: db, person: request.caller.person, now: current.now)
                let upload = try uploads.upload(request.path[0])
                guard try uploads.chunks(of: upload) == chunks else {
                    throw DAVError.conflict("The pieces have changed meanwhile")
                }
                let tree = try DAVTree(db, request.caller, current)
                let goal = try Self.goal(tree, path, request)
                let node = try tree.put(
                    Tree.NewContent(
                        name: goal.name, size: size, revision: revision,
                        modified: modified.seconds, checksum: request.checksum), at: goal)
                _ = try uploads.end(upload)
                return (node, goal.replaced == nil, try DAVTree.instance(db))
            }
        } catch {
            try await services.content.remove(revision)
            throw error
        }
        try await services.chunks.remove(chunks.map(\.content))
        if modified.isBad { throw PutCall.badTime(request) }
        var response = Response(status: outcome.isNew ? .created : .noContent)
        response.describe(outcome.node, instance: outcome.instance, caller: request.caller)
        if modified.seconds != nil { response.headers[.ocModified] = "accepted" }
        return response
    }
}
