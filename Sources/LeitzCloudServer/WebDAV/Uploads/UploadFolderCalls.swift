import GRDB
import HTTPTypes
import HummingbirdCore
import LeitzCloudAPI
import NIOCore

/// The upload area, `/remote.php/dav/uploads/USER/ID/NUMBER` (FACTS 2.8), but for the assembly.
struct UploadFolderCalls: Sendable {
    /// The virtual result of an upload.
    static let result = ".file"
    private static let maximumName = 200

    let services: CloudServices
    let context: CallContext
    let request: DAVRequest

    func run(_ body: Request) async throws -> Response {
        let count = request.path.count
        switch request.method {
        case "MKCOL" where count == 1: return try await begin()
        case "PUT" where count == 2: return try await put(body)
        case "PROPFIND" where count <= 2:
            let body = try await BodyPieces.collect(body, limit: DAVRequest.maximumBody)
            return try await list(body)
        case "DELETE" where count == 1 || count == 2: return try await delete()
        case "MOVE" where count == 2 && request.path[1] == Self.result:
            return try await AssembleCall(services: services, context: context, request: request)
                .run()
        default:
            throw DAVError.methodNotAllowed("This can't be done in the upload area")
        }
    }

    private func begin() async throws -> Response {
        let name = request.path[0]
        if name.utf8.count > Self.maximumName { throw DAVError.invalidPath("Filename is too long") }
        if request.header("Destination") != nil { _ = try request.destination() }
        let (caller, now) = (request.caller, context.now)
        let expired = try await services.database.write { db in
            let expired = try Uploads.endIdle(db, now: now)
            try Uploads(db: db, person: caller.person, now: now).begin(name)
            return expired
        }
        try await services.chunks.remove(expired)
        return Response(status: .created)
    }

    private func number() throws(DAVError) -> Int64 {
        guard let number = Int64(request.path[1]), (1...Uploads.maximumChunks).contains(number),
            request.path[1].utf8.allSatisfy({ $0 >= UInt8(ascii: "0") })
        else { throw .badRequest("Invalid chunk name, must be numeric between 1 and 10000") }
        return number
    }

    private func put(_ body: Request) async throws -> Response {
        let number = try number()
        if request.header("Content-Range") != nil {
            throw DAVError.badRequest("Content-Range on PUT requests are forbidden.")
        }
        let room = try await room()
        let announced = request.number("Content-Length") ?? 0
        try PutCall.check(announced, room: room, context.behaviour, request.path)
        let name = services.chunks.newName()
        var sink = UploadSink(store: services.content)
        do {
            var pieces = BodyPieces(body)
            while let piece = try await pieces.next() {
                try await sink.write(piece)
                try PutCall.check(sink.size, room: room, context.behaviour, request.path)
            }
            return try await commit(&sink, number, name)
        } catch {
            try await sink.discard()
            throw error
        }
    }

    /// Bytes that a piece may have: what the person may still store, without the other pieces.
    private func room() async throws -> Int64 {
        let (request, context) = (request, context)
        let total = request.number("OC-Total-Length") ?? 0
        let path = request.header("Destination") == nil ? nil : try request.destination()
        return try await services.database.read { db in
            let uploads = Uploads(db: db, person: request.caller.person, now: context.now)
            _ = try uploads.upload(request.path[0])
            let tree = try DAVTree(db, request.caller, context)
            var room = try tree.quota().available
            if let path {
                room = try tree.room(at: try tree.contentGoal(path, tokens: request.tokens))
            }
            if total > room { throw DAVError.insufficientStorage(path ?? request.path) }
            return max(0, room - (try uploads.storedBytes()))
        }
    }

    private func commit(_ sink: inout UploadSink, _ number: Int64, _ name: String) async throws
        -> Response
    {
        let (request, now) = (request, services.clock())
        let chunk = Uploads.Chunk(
            number: number, name: request.path[1], content: name, size: sink.size, modified: now)
        try await sink.finish(at: services.chunks.path(name))
        do {
            let replaced = try await services.database.write(syncing: [services.chunks.folder]) {
                db in
                let uploads = Uploads(db: db, person: request.caller.person, now: now)
                return try uploads.add(chunk, to: try uploads.upload(request.path[0]))
            }
            if let replaced { try await services.chunks.remove([replaced]) }
            return Response(status: replaced == nil ? .created : .noContent)
        } catch {
            try await services.chunks.remove([name])
            throw error
        }
    }

    private func delete() async throws -> Response {
        let number = request.path.count == 2 ? try number() : nil
        let (request, now) = (request, context.now)
        let files = try await services.database.write { db in
            let uploads = Uploads(db: db, person: request.caller.person, now: now)
            let upload = try uploads.upload(request.path[0])
            if let number { return try uploads.remove(number, of: upload) }
            return try uploads.end(upload)
        }
        try await services.chunks.remove(files)
        return Response(status: .noContent)
    }

    private func list(_ body: ByteBuffer) async throws -> Response {
        let wish = try PropfindCall.wish(body)
        let (request, context) = (request, context)
        let answer = try await services.database.read { db in
            let uploads = Uploads(db: db, person: request.caller.person, now: context.now)
            return try UploadListing(uploads: uploads, request: request, wish: wish).answer()
        }
        return PropfindCall.response(ResponseBody(byteBuffer: answer))
    }
}
