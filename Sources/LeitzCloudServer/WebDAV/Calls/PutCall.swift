import HTTPTypes
import HummingbirdCore
import LeitzCloudAPI
import NIOCore

/// PUT (FACTS 2.7): streamed to disk, durable, and only then put into the tree. A body that ends
/// early leaves nothing behind.
struct PutCall: Sendable {
    let services: CloudServices
    let context: CallContext
    let request: DAVRequest

    func run(_ body: Request) async throws -> Response {
        if request.header("Content-Range") != nil {
            throw DAVError.badRequest("Content-Range on PUT requests are forbidden.")
        }
        let (room, behaviour) = try await room()
        let announced = request.number("Content-Length") ?? 0
        let total = max(announced, request.number("OC-Total-Length") ?? 0)
        try Self.check(total, room: room, behaviour, request.path)
        var sink = UploadSink(store: services.content)
        do {
            var pieces = BodyPieces(body)
            while let piece = try await pieces.next() {
                try await sink.write(piece)
                try Self.check(sink.size, room: room, behaviour, request.path)
            }
            return try await commit(&sink)
        } catch {
            try await sink.discard()
            throw error
        }
    }

    /// Refuses what can be refused without the content, and gives the bytes it may have, with
    /// the switches that bind the caller.
    private func room() async throws -> (Int64, ServerBehaviour) {
        let (request, context) = (request, context)
        return try await services.database.read { db in
            let tree = try DAVTree(db, request.caller, context)
            try tree.check(request)
            let goal = try tree.contentGoal(request.path, tokens: request.tokens)
            return (try tree.room(at: goal), tree.tree.behaviour)
        }
    }

    static func check(
        _ size: Int64, room: Int64, _ behaviour: ServerBehaviour, _ path: [String]
    ) throws(DAVError) {
        if let largest = behaviour.maximumFileSize, size > largest { throw .entityTooLarge }
        if size > room { throw .insufficientStorage(path) }
    }

    private func commit(_ sink: inout UploadSink) async throws -> Response {
        let revision = services.content.allocateRevision()
        let size = sink.size
        try await sink.finish(as: revision)
        // The upload may have taken long: the change carries the time of its end.
        var context = context
        context.now = services.clock()
        let current = context
        let request = request
        let modified = request.modificationTime
        let outcome: (node: DAVNode, isNew: Bool, instance: String)
        do {
            let folder = services.content.folder(of: revision)
            outcome = try await services.database.write(syncing: [folder]) { db in
                let tree = try DAVTree(db, request.caller, current)
                try tree.check(request)
                let goal = try tree.contentGoal(request.path, tokens: request.tokens)
                let content = Tree.NewContent(
                    name: goal.name, size: size, revision: revision, modified: modified.seconds,
                    checksum: request.checksum)
                let node = try tree.put(content, at: goal)
                return (node, goal.replaced == nil, try DAVTree.instance(db))
            }
        } catch {
            try await services.content.remove(revision)
            throw error
        }
        if modified.isBad { throw Self.badTime(request) }
        var response = Response(status: outcome.isNew ? .created : .noContent)
        response.describe(outcome.node, instance: outcome.instance, caller: request.caller)
        if modified.seconds != nil { response.headers[.ocModified] = "accepted" }
        return response
    }

    /// Nextcloud stores the content and answers this (FACTS part 4, 4).
    static func badTime(_ request: DAVRequest) -> DAVError {
        DAVError(
            500, "InvalidArgumentException",
            "X-OC-MTime header must be a valid positive unix timestamp greater than one day, got "
                + "\"\(request.header("X-OC-Mtime") ?? "")\".")
    }
}

extension Response {
    /// Adds what an answer to a change says of the item.
    mutating func describe(_ node: DAVNode, instance: String, caller: DAVCaller) {
        headers[.ocFileID] = ItemNumber.text(node.number, instance: instance)
        headers[.eTag] = node.etag
        headers[.ocETag] = node.etag
        headers[.ownerID] = DAVTarget.encode(caller.user)
        headers[.permissions] = node.permissionLetters
    }
}
