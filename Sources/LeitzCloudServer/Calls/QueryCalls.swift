import HummingbirdCore
import LeitzCloudAPI
import NIOCore

/// Calls that only read the tree: metadata, search, modified_since.
struct QueryCalls: Sendable {
    let services: CloudServices
    let context: CallContext

    func run(_ call: Route.Call, _ query: FormFields) async throws -> Response {
        switch call {
        case .metadata(.file(let root, let file)):
            return try await fileMetadata(root, file, try ListingOptions(query))
        case .metadata(let address):
            let listing = FolderListing(address: address, options: try ListingOptions(query))
            return try await PagedAnswer(services: services, context: context)
                .response(listing.begin)
        case .search(let root): return try await search(root, query)
        case .modifiedSince(let root): return try await modifiedSince(root, query)
        default: throw APIError.notFound
        }
    }

    private func fileMetadata(_ root: Int64, _ file: Int64, _ options: ListingOptions) async throws
        -> Response
    {
        let context = context
        let body = try await services.database.read { db in
            let tree = try Tree(db, context)
            let access = try tree.root(root)
            let row = try tree.file(file, in: access)
            let parent = try tree.chain(row.parent, root: root)
            return try FileMetadata(file: row, parent: parent).json(tree, access, options)
        }
        return Response(json: body)
    }

    private func search(_ root: Int64, _ query: FormFields) async throws -> Response {
        let text = try query.required("q")
        if text.isEmpty { throw APIError.invalid("q") }
        return try await PagedAnswer(services: services, context: context).response { tree in
            let access = try tree.root(root)
            let encoder = ItemEncoder(options: ListingOptions(), permissions: access.permissions)
            return .results(SearchPages(root: access, encoder: encoder, text: text))
        }
    }

    private func modifiedSince(_ root: Int64, _ query: FormFields) async throws -> Response {
        guard let since = WireDate.parse(try query.required("since")) else {
            throw APIError.invalidDatetime
        }
        var options = ListingOptions()
        options.deleted = try query.flag("include_deleted", default: true)
        let chosen = options
        return try await PagedAnswer(services: services, context: context).response { tree in
            let access = try tree.root(root)
            let encoder = ItemEncoder(options: chosen, permissions: access.permissions)
            return .results(ChangePages(root: access, encoder: encoder, changed: since))
        }
    }
}

extension PagedJSON {
    /// `{"results": […]}`.
    static func results(_ pages: some RowPages) -> PagedJSON {
        PagedJSON(head: ByteBuffer(string: "{\"results\":["), pages: pages, tail: "]}")
    }
}

extension FileMetadata {
    func json(_ tree: Tree, _ root: RootAccess, _ options: ListingOptions) throws -> ByteBuffer {
        var encoder = ItemEncoder(options: options, permissions: root.permissions)
        let item = try encoder.item(
            file, path: parent.path(of: file.name), inherited: parent.locks, tree)
        var buffer = ByteBuffer()
        ItemJSON.write(item, to: &buffer)
        return buffer
    }
}
