import GRDB
import HTTPTypes
import HummingbirdCore
import LeitzCloudAPI
import NIOCore
import NIOPosix

/// Rows of a long answer, a page at a time.
protocol RowPages: Sendable {
    /// Emits up to `limit` rows; false when there are no more.
    mutating func next(_ tree: Tree, limit: Int, _ emit: (WireItem) -> Void) throws -> Bool
}

/// A JSON answer with a long list in its middle.
struct PagedJSON: Sendable {
    var head: ByteBuffer
    /// Nil where the head is the whole answer.
    var pages: (any RowPages)?
    var tail: String
}

/// Sends `PagedJSON`: short lists in one buffer with their length, long ones in chunks out of one
/// unchanging view of the database, so that memory stays flat and the list is never torn.
struct PagedAnswer: Sendable {
    static let pageSize = 1000

    let services: CloudServices
    let context: CallContext

    private enum Step: Sendable {
        case unchanged
        case complete(ByteBuffer)
        case more(ByteBuffer, Rows)
    }

    /// What is left after the first page.
    private struct Rows: Sendable {
        var caller: Caller
        var pages: any RowPages
        var tail: String
        var isFirstRow: Bool

        /// One page; the buffer ends with the tail after the last one.
        mutating func next(_ tree: Tree, into buffer: inout ByteBuffer) throws -> Bool {
            var isFirst = isFirstRow
            let isMore = try pages.next(tree, limit: PagedAnswer.pageSize) { item in
                if !isFirst { buffer.writeInteger(UInt8(ascii: ",")) }
                isFirst = false
                ItemJSON.write(item, to: &buffer)
            }
            isFirstRow = isFirst
            if !isMore { buffer.writeString(tail) }
            return isMore
        }
    }

    func response(_ begin: @escaping @Sendable (Tree) throws -> PagedJSON?) async throws -> Response
    {
        let context = context
        let first = try await services.database.read { try Self.firstPage($0, context, begin) }
        guard case .more = first else { return Self.response(first) }
        let view = try await services.content.threads.runIfActive {
            [database = services.database] in
            try database.snapshot()
        }
        let again = try await view.read { try Self.firstPage($0, context, begin) }
        guard case .more(let buffer, let rows) = again else { return Self.response(again) }
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody { writer in
                try await writer.write(buffer)
                var rows = rows
                var isMore = true
                while isMore {
                    let current = rows
                    let page = try await view.read { db in
                        var next = current
                        var buffer = ByteBuffer()
                        let tree = try Tree(db, caller: current.caller, context)
                        let isMore = try next.next(tree, into: &buffer)
                        return (buffer, next, isMore)
                    }
                    (rows, isMore) = (page.1, page.2)
                    try await writer.write(page.0)
                }
                try await writer.finish(nil)
            })
    }

    private static func firstPage(
        _ db: Database, _ context: CallContext, _ begin: (Tree) throws -> PagedJSON?
    ) throws -> Step {
        let tree = try Tree(db, context)
        guard let answer = try begin(tree) else { return .unchanged }
        var buffer = answer.head
        guard let pages = answer.pages else { return .complete(buffer) }
        var rows = Rows(caller: tree.caller, pages: pages, tail: answer.tail, isFirstRow: true)
        return try rows.next(tree, into: &buffer) ? .more(buffer, rows) : .complete(buffer)
    }

    private static func response(_ step: Step) -> Response {
        switch step {
        case .unchanged: Response(status: .notModified)
        case .complete(let buffer), .more(let buffer, _): Response(json: buffer)
        }
    }
}
