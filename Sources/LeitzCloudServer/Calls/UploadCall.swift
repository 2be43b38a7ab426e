import GRDB
import HTTPTypes
import HummingbirdCore
import LeitzCloudAPI
import NIOCore

/// Receives a file (API v2, "Eine Datei in einen Ordner hochladen"): streamed to disk, durable,
/// and only then put into the tree. A body that ends early leaves nothing behind.
struct UploadCall: Sendable {
    /// From this announced length on, a taken name is looked up before the content is received.
    private static let earlyCheckLength: Int64 = 1_048_576

    let services: CloudServices
    let context: CallContext

    func run(_ address: ItemAddress, _ request: Request) async throws -> Response {
        let context = context
        let target = try await services.database.read {
            try Tree($0, context).uploadTarget(address)
        }
        guard
            let boundary = MultipartParser.boundary(
                ofContentType: request.headers[.contentType])
        else { throw APIError.noFileReceived }
        var reception = Reception(
            parser: MultipartParser(boundary: boundary), sink: UploadSink(store: services.content))
        do {
            try await receive(request, &reception, target)
            guard reception.isComplete else { throw APIError.malformedBody }
            guard let name = reception.name else { throw APIError.noFileReceived }
            return try await commit(name, &reception.sink, address, target)
        } catch {
            try await reception.sink.discard()
            throw error
        }
    }

    /// What has been read of the body so far.
    private struct Reception {
        var parser: MultipartParser
        var sink: UploadSink
        /// The checked name of the file, once its part has begun.
        var name: String?
        /// Whether the part being read is that file.
        var isInFile = false
        /// Whether the closing delimiter was read.
        var isComplete = false
    }

    private func receive(
        _ request: Request, _ reception: inout Reception, _ target: Tree.UploadTarget
    ) async throws {
        let announced = request.headers[.contentLength].flatMap { Int64($0) }
        let limit = min(
            target.behaviour.maximumFileSize ?? .max, max(0, largest(target)))
        var pieces = BodyPieces(request)
        while let piece = try await pieces.next() {
            reception.parser.feed(piece)
            while let event = try reception.parser.next() {
                switch event {
                case .partBegan(let headers):
                    guard reception.name == nil, headers.name == "file" else { continue }
                    reception.name = try await begin(headers, announced, target)
                    reception.isInFile = true
                case .data(let bytes) where reception.isInFile:
                    try await reception.sink.write(bytes)
                    if reception.sink.size > limit { throw APIError.policyError }
                case .data: break
                case .partEnded: reception.isInFile = false
                case .finished: reception.isComplete = true
                }
            }
        }
    }

    /// The largest file that may fit; what a revision frees is only known at the commit.
    private func largest(_ target: Tree.UploadTarget) -> Int64 {
        context.behaviour.uploadOntoName == .revision ? .max : target.remaining
    }

    private func begin(
        _ headers: MultipartHeaders, _ announced: Int64?, _ target: Tree.UploadTarget
    ) async throws -> String {
        guard let name = headers.filename, !name.isEmpty else { throw APIError.noFileReceived }
        try NameRules.check(name)
        try NameRules.checkExtension(name, target.behaviour)
        if announced ?? .max >= Self.earlyCheckLength {
            let context = context
            try await services.database.read { db in
                _ = try Tree(db, caller: target.caller, context)
                    .replacedFile(name, in: target.folder)
            }
        }
        return name
    }

    private func commit(
        _ name: String, _ sink: inout UploadSink, _ address: ItemAddress,
        _ target: Tree.UploadTarget
    ) async throws -> Response {
        let content = Tree.NewContent(
            name: name, size: sink.size, revision: services.content.allocateRevision())
        try await sink.finish(as: content.revision)
        // The upload may have taken long: the change carries the time of its end.
        var context = context
        context.now = services.clock()
        let current = context
        do {
            let folder = services.content.folder(of: content.revision)
            let body = try await services.database.write(syncing: [folder]) { db in
                let tree = try Tree(db, caller: target.caller, current)
                let metadata = try tree.addContent(content, to: address)
                return try metadata.json(tree, tree.root(address.root), ListingOptions())
            }
            return Response(json: body)
        } catch {
            try await services.content.remove(content.revision)
            throw error
        }
    }
}
