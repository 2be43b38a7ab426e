import GRDB
import HTTPTypes
import HummingbirdCore
import NIOCore
import NIOPosix

/// PROPFIND (RFC 4918 section 9.1): short answers in one buffer, long ones in chunks out of one
/// unchanging view of the database, so that memory stays flat and the list is never torn.
struct PropfindCall: Sendable {
    static let pageSize = 1000

    /// Which properties are asked for.
    enum Wish: Sendable {
        case named([XMLName])
        case all
        case names
    }

    /// How far an answer has come.
    private struct Position: Sendable {
        var isInFiles = false
        var last = Int64.min
    }

    private struct Page: Sendable {
        var buffer: ByteBuffer
        var next: Position?
    }

    let services: CloudServices
    let context: CallContext
    let request: DAVRequest

    func run(_ body: ByteBuffer) async throws -> Response {
        let wish = try Self.wish(body)
        let (request, context) = (request, context)
        let first = try await services.database.read {
            try Self.page($0, nil, wish, request, context)
        }
        if first.next == nil { return Self.response(ResponseBody(byteBuffer: first.buffer)) }
        let view = try await services.content.threads.runIfActive {
            [database = services.database] in
            try database.snapshot()
        }
        return Self.response(
            ResponseBody { writer in
                var position: Position?
                repeat {
                    let current = position
                    let page = try await view.read {
                        try Self.page($0, current, wish, request, context)
                    }
                    try await writer.write(page.buffer)
                    position = page.next
                } while position != nil
                try await writer.finish(nil)
            })
    }

    static func response(_ body: ResponseBody) -> Response {
        Response(
            status: .init(code: 207, reasonPhrase: "Multi-Status"),
            headers: [.contentType: "application/xml; charset=utf-8"], body: body)
    }

    static func wish(_ body: ByteBuffer) throws(DAVError) -> Wish {
        if body.readableBytes == 0 { return .all }
        let root = try XMLElement.parse(body)
        guard root.name == .dav("propfind") else {
            throw .badRequest("the body is no propfind element")
        }
        if let properties = root.child("prop") {
            return .named(properties.children.map(\.name))
        }
        if root.child("propname") != nil { return .names }
        guard root.child("allprop") != nil else {
            throw .badRequest("the propfind element asks for nothing")
        }
        return .all
    }

    private static func page(
        _ db: Database, _ position: Position?, _ wish: Wish, _ request: DAVRequest,
        _ context: CallContext
    ) throws -> Page {
        let tree = try DAVTree(db, request.caller, context)
        let node = try tree.node(request.path)
        let answer = PropfindAnswer(try LiveProperties(tree, request), request, wish)
        var buffer = ByteBuffer()
        if position == nil {
            try tree.check(request)
            buffer.writeString(
                "<?xml version=\"1.0\"?>\n<d:multistatus" + ByteBuffer.xmlNamespaces + ">")
            try answer.write(node, to: &buffer)
            guard node.isFolder, request.depth != .zero else {
                buffer.writeStaticString("</d:multistatus>")
                return Page(buffer: buffer)
            }
            for mount in node.mounts { try answer.write(tree.node(mount), to: &buffer) }
        }
        var next = position ?? Position()
        let isMore = try children(of: node, tree, &next) { try answer.write($0, to: &buffer) }
        if !isMore { buffer.writeStaticString("</d:multistatus>") }
        return Page(buffer: buffer, next: isMore ? next : nil)
    }

    /// One page of the folders, then the files, each by id; false after the last one.
    private static func children(
        of folder: DAVNode, _ tree: DAVTree, _ position: inout Position,
        _ emit: (DAVNode) throws -> Void
    ) throws -> Bool {
        var remaining = pageSize
        func rows(_ columns: String, _ table: String) throws -> RowCursor {
            try Row.fetchCursor(
                tree.db.cachedStatement(
                    sql: """
                        SELECT \(columns) FROM \(table)
                        WHERE parent_id = ? AND id > ? AND is_deleted = 0 ORDER BY id LIMIT ?
                        """), arguments: [folder.chain.folder.id, position.last, remaining])
        }
        if !position.isInFiles {
            let folders = try rows(FolderRow.columns, "folders")
            while let row = try folders.next() {
                let child = FolderRow(row, now: tree.now)
                try emit(tree.node(child, in: folder))
                position.last = child.id
                remaining -= 1
            }
            if remaining == 0 { return true }
            position = Position(isInFiles: true)
        }
        let files = try rows(FileRow.columns, "files")
        while let row = try files.next() {
            let file = FileRow(row, now: tree.now)
            try emit(tree.node(file, in: folder))
            position.last = file.id
            remaining -= 1
        }
        return remaining == 0
    }
}

extension XMLElement {
    /// Reads a request's body.
    static func parse(_ body: ByteBuffer) throws(DAVError) -> XMLElement {
        let result = body.withUnsafeReadableBytes { bytes in
            Result { () throws(XMLBodyParser.Malformed) in try XMLBodyParser.parse(bytes) }
        }
        switch result {
        case .success(let element): return element
        case .failure(let error): throw .badRequest("The request body is invalid: \(error.reason)")
        }
    }
}
