import HTTPTypes
import HummingbirdCore
import LeitzCloudAPI
import NIOCore

/// MKCOL, DELETE, MOVE and COPY (RFC 4918 sections 9.3, 9.6, 9.8, 9.9).
struct NamespaceCalls: Sendable {
    /// How often a copy begins again because the source changed under it.
    private static let maximumTries = 3

    let services: CloudServices
    let context: CallContext
    let request: DAVRequest

    func makeFolder() async throws -> Response {
        let length = request.number("Content-Length") ?? 0
        if length > 0 || request.header("Transfer-Encoding") != nil {
            throw DAVError.unsupportedMediaType
        }
        let (request, context) = (request, context)
        let (node, instance) = try await services.database.write { db in
            let node = try DAVTree(db, request.caller, context).makeFolder(request)
            return (node, try DAVTree.instance(db))
        }
        var response = Response(status: .created)
        response.headers[.ocFileID] = ItemNumber.text(node.number, instance: instance)
        return response
    }

    func delete() async throws -> Response {
        let (request, context) = (request, context)
        try await services.database.write { db in
            try DAVTree(db, request.caller, context).delete(request)
        }
        return Response(status: .noContent)
    }

    /// Within a root the item keeps its number; into another root it becomes a new one.
    func move() async throws -> Response {
        let (request, context) = (request, context)
        let path = try request.destination()
        let isWithin = try await services.database.read { db in
            let tree = try DAVTree(db, request.caller, context)
            let source = try tree.node(request.path)
            guard !source.isHome, !source.isMount else {
                throw DAVError.forbidden("This folder can't be moved")
            }
            return try tree.goal(of: source, at: path, request).parent.root.id == source.root.id
        }
        guard isWithin else { return try await copy(to: path, removesSource: true) }
        let (node, isNew, instance) = try await services.database.write { db in
            let tree = try DAVTree(db, request.caller, context)
            let source = try tree.node(request.path)
            try tree.check(request)
            let goal = try tree.goal(of: source, at: path, request)
            guard !source.isHome, !source.isMount, goal.parent.root.id == source.root.id else {
                throw DAVError.conflict("The tree has changed meanwhile")
            }
            try tree.checkRemoval(of: source, tokens: request.tokens)
            try tree.clear(goal, tokens: request.tokens)
            try tree.leaveLocks(of: source)
            // The locks of the source are gone from its rows.
            try tree.place(try tree.node(request.path), at: goal)
            let moved = try tree.node(goal.parent.path + [goal.name])
            return (moved, goal.replaced == nil, try DAVTree.instance(db))
        }
        return Self.moved(node, isNew, instance)
    }

    func copy() async throws -> Response {
        if request.depth == .one { throw DAVError.badRequest("Depth 1 is not for COPY") }
        return try await copy(to: try request.destination(), removesSource: false)
    }

    private static func moved(_ node: DAVNode, _ isNew: Bool, _ instance: String) -> Response {
        var response = Response(status: isNew ? .created : .noContent)
        response.headers[.ocFileID] = ItemNumber.text(node.number, instance: instance)
        response.headers[.eTag] = node.etag
        response.headers[.ocETag] = node.etag
        return response
    }

    private func copy(to path: [String], removesSource: Bool) async throws -> Response {
        for attempt in 1... {
            do {
                return try await copyOnce(to: path, removesSource: removesSource)
            } catch is DAVTree.PlanOutdated where attempt < Self.maximumTries {
                continue
            }
        }
        throw DAVError.conflict("The source keeps changing")
    }

    private func copyOnce(to path: [String], removesSource: Bool) async throws -> Response {
        let (request, context) = (request, context)
        let isDeep = request.depth != .zero || removesSource
        let originals = try await services.database.read { db in
            let tree = try DAVTree(db, request.caller, context)
            let source = try tree.node(request.path)
            _ = try tree.goal(of: source, at: path, request)
            return isDeep || !source.isFolder ? try tree.originals(below: source) : []
        }
        let content = services.content
        let first = content.allocateRevisions(originals.count)
        var revisions: [Int64: Int64] = [:]
        var shared: [Int64: Int64] = [:]
        for (index, original) in originals.enumerated() {
            revisions[original.revision] = first + Int64(index)
            // Empty files may have no content on disk.
            if original.size > 0 { shared[original.revision] = first + Int64(index) }
        }
        do {
            try await content.share(shared)
            return try await commitCopy(
                to: path, removesSource: removesSource, isDeep: isDeep, revisions)
        } catch {
            for revision in shared.values { try await content.remove(revision) }
            throw error
        }
    }

    private func commitCopy(
        to path: [String], removesSource: Bool, isDeep: Bool, _ revisions: [Int64: Int64]
    ) async throws -> Response {
        let (request, context) = (request, context)
        let folders = Set(revisions.values.map { services.content.folder(of: $0) })
        let (node, isNew, instance) = try await services.database.write(syncing: Array(folders)) {
            db in
            let tree = try DAVTree(db, request.caller, context)
            let source = try tree.node(request.path)
            try tree.check(request)
            let goal = try tree.goal(of: source, at: path, request)
            if removesSource {
                try tree.checkRemoval(of: source, tokens: request.tokens)
            }
            try tree.clear(goal, tokens: request.tokens)
            let made = try tree.copy(source, to: goal, isDeep: isDeep, revisions: revisions)
            if removesSource {
                try tree.leaveLocks(of: source)
                try tree.tree.delete(source.address)
            }
            let copied = try tree.node(made.path)
            return (copied, goal.replaced == nil, try DAVTree.instance(db))
        }
        return Self.moved(node, isNew, instance)
    }
}
