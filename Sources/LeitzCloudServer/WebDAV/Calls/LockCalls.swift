import HTTPTypes
import HummingbirdCore
import LeitzCloudAPI
import NIOCore

/// LOCK and UNLOCK (RFC 4918 sections 9.10, 9.11), and the locks of persons by `X-User-Lock`
/// (FACTS 2.9).
struct LockCalls: Sendable {
    private static let maximumOwner = 4096
    /// Minutes that a person's lock lasts.
    private static let personMinutes: Int64 = 24 * 60

    let services: CloudServices
    let context: CallContext
    let request: DAVRequest

    func lock(_ body: ByteBuffer) async throws -> Response {
        if isForPerson { return try await changePersonLock(isTaken: true) }
        if body.readableBytes == 0 { return try await refresh() }
        let wish = try wish(body)
        let revision = try await emptyContent()
        do {
            return try await lock(wish, revision)
        } catch {
            if let revision { try await services.content.remove(revision) }
            throw error
        }
    }

    private func lock(_ wish: LockWish, _ revision: Int64?) async throws -> Response {
        let (request, context) = (request, context)
        let (lock, root, isNew, number) = try await services.database.write(
            syncing: revision.map { [services.content.folder(of: $0)] } ?? []
        ) { db in
            let tree = try DAVTree(db, request.caller, context)
            try tree.check(request)
            let (node, isNew) = try Self.locked(tree, request, revision)
            let lock = try tree.lock(node, wish)
            let root = try LiveProperties(tree, request).lockRoot(lock, node)
            let number = ItemNumber.text(node.number, instance: try DAVTree.instance(db))
            return (lock, root, isNew, number)
        }
        var response = Self.response(lock, root, status: isNew ? .created : .ok)
        if isNew { response.headers[.ocFileID] = number }
        return response
    }

    /// A LOCK on a name that is free makes an empty file: its content, nil where the name is taken.
    private func emptyContent() async throws -> Int64? {
        let (request, context) = (request, context)
        let isFree = try await services.database.read { db in
            let tree = try DAVTree(db, request.caller, context)
            switch try tree.place(request.path) {
            case .item: return false
            case .free: return true
            case .nowhere: throw DAVError.conflict("Parent node does not exist")
            }
        }
        guard isFree else { return nil }
        let revision = services.content.allocateRevision()
        var sink = UploadSink(store: services.content)
        try await sink.finish(as: revision)
        return revision
    }

    private static func locked(_ tree: DAVTree, _ request: DAVRequest, _ revision: Int64?) throws
        -> (node: DAVNode, isNew: Bool)
    {
        if case .item(let node) = try tree.place(request.path) { return (node, false) }
        guard let revision else { throw DAVError.notFound(request.path) }
        let goal = try tree.contentGoal(request.path, tokens: request.tokens)
        let content = Tree.NewContent(name: goal.name, size: 0, revision: revision)
        return (try tree.put(content, at: goal), true)
    }

    private func refresh() async throws -> Response {
        let seconds = LockWish.seconds(request.header("Timeout"))
        let (request, context) = (request, context)
        if request.tokens.isEmpty { throw DAVError.badRequest("A lock to refresh has a token") }
        let (lock, root) = try await services.database.write { db in
            let tree = try DAVTree(db, request.caller, context)
            let node = try tree.node(request.path)
            try tree.check(request)
            let lock = try tree.refresh(on: node, tokens: request.tokens, seconds: seconds)
            return (lock, try LiveProperties(tree, request).lockRoot(lock, node))
        }
        return Self.response(lock, root, status: .ok)
    }

    func unlock() async throws -> Response {
        if isForPerson { return try await changePersonLock(isTaken: false) }
        guard let header = request.header("Lock-Token") else {
            throw DAVError.badRequest("No lock token was supplied")
        }
        var token = Substring(header)
        if token.hasPrefix("<"), token.hasSuffix(">") { token = token.dropFirst().dropLast() }
        let wanted = String(token)
        let (request, context) = (request, context)
        try await services.database.write { db in
            let tree = try DAVTree(db, request.caller, context)
            try tree.unlock(try tree.node(request.path), token: wanted)
        }
        return Response(status: .noContent)
    }

    private func wish(_ body: ByteBuffer) throws(DAVError) -> LockWish {
        let root = try XMLElement.parse(body)
        guard root.name == .dav("lockinfo"), root.child("locktype")?.child("write") != nil,
            let scope = root.child("lockscope")?.children.first?.name.local,
            scope == "exclusive" || scope == "shared"
        else { throw .badRequest("the body is no lockinfo element that is known") }
        if request.depth == .one { throw .badRequest("Depth 1 is not for LOCK") }
        var owner = ByteBuffer()
        owner.writeXML(root.child("owner")?.contents ?? [])
        if owner.readableBytes > Self.maximumOwner { throw .badRequest("the owner is too long") }
        return LockWish(
            isShared: scope == "shared", owner: String(buffer: owner),
            isDeep: request.depth != .zero, seconds: LockWish.seconds(request.header("Timeout")))
    }

    private static func response(_ lock: TokenLock, _ root: String, status: HTTPResponse.Status)
        -> Response
    {
        var buffer = ByteBuffer()
        buffer.writeString("<?xml version=\"1.0\"?>\n<d:prop" + ByteBuffer.xmlNamespaces + ">")
        buffer.writeStaticString("<d:lockdiscovery>")
        lock.write(root: root, to: &buffer)
        buffer.writeStaticString("</d:lockdiscovery></d:prop>")
        return Response(
            status: status,
            headers: [
                .contentType: "application/xml; charset=utf-8", .lockToken: "<\(lock.token)>",
            ], body: ResponseBody(byteBuffer: buffer))
    }

    // MARK: - Locks of persons

    private var isForPerson: Bool {
        request.header("X-User-Lock").map { $0 == "1" || $0.lowercased() == "true" } ?? false
    }

    /// Takes or gives back the caller's own lock: the one that the other face knows.
    private func changePersonLock(isTaken: Bool) async throws -> Response {
        let (request, context) = (request, context)
        let names = ["lock", "lock-owner-type", "lock-owner", "lock-owner-displayname"]
        let (body, isRefused) = try await services.database.write { db in
            let tree = try DAVTree(db, request.caller, context)
            var node = try tree.node(request.path)
            let shown = try tree.shownLock(on: node)
            if !isTaken, shown == nil {
                throw DAVError.preconditionFailed("The file is not locked", header: "X-User-Lock")
            }
            let isRefused = shown.map { $0.isToken || $0.owner != request.caller.user } ?? false
            if !isRefused {
                if isTaken {
                    try tree.tree.lock(node.address, minutes: Self.personMinutes)
                } else {
                    try tree.tree.unlock(node.address)
                }
                node = try tree.node(request.path)
            }
            var buffer = ByteBuffer()
            buffer.writeString(
                "<?xml version=\"1.0\"?>\n<d:prop" + ByteBuffer.xmlNamespaces + ">")
            let live = try LiveProperties(tree, request)
            for name in names {
                _ = try live.write(XMLName(XMLName.nextcloud, name), of: node, to: &buffer)
            }
            buffer.writeStaticString("</d:prop>")
            return (buffer, isRefused)
        }
        return Response(
            status: isRefused ? .locked : .ok,
            headers: [.contentType: "application/xml; charset=utf-8"],
            body: ResponseBody(byteBuffer: body))
    }
}

extension HTTPResponse.Status {
    static let locked = HTTPResponse.Status(code: 423, reasonPhrase: "Locked")
}
