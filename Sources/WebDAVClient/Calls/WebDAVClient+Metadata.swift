package import CloudStorage
import FoundationEssentials
import HTTPTransport
import Synchronization

// Source: RFC 4918 section 9.1 (PROPFIND), RFC 4331 (quota).
extension WebDAVClient {
    /// From sending a listing request to its end: large folders take their time.
    private static let listingDeadline = Duration.seconds(180)

    package func account() async throws(CloudStorageError) -> AccountDescription {
        let (item, entry) = try await properties(
            of: .top, isFolder: true, PropertyRequest.items(profile, withQuota: true))
        guard entry.isFolder else {
            throw CloudStorageError(.invalidAnswer, "the address is a file, not a folder")
        }
        let root = CloudRoot(
            id: Self.root, name: profile.rootName, permissions: item.permissions,
            isLocked: item.isLocked)
        return AccountDescription(
            displayName: server.displayName ?? profile.userID ?? profile.rootName, roots: [root],
            quota: Self.quota(available: entry.quotaAvailable, used: entry.quotaUsed),
            policy: StoragePolicy(
                excludedExtensions: profile.nameRules.extensions,
                allowsLocks: profile.supportsLocks))
    }

    /// Negative values stand for "not computed", "unknown" and "unlimited" (-1, -2, -3): then
    /// there is no quota to speak of.
    static func quota(available: Int64?, used: Int64?) -> StorageQuota? {
        guard let available, let used, available >= 0, used >= 0 else { return nil }
        let (total, overflow) = available.addingReportingOverflow(used)
        return overflow ? nil : StorageQuota(total: total, used: used)
    }

    package func list(
        _ folder: ItemReference, validator: String?
    ) async throws(CloudStorageError) -> FolderListing {
        let path = try folderPath(folder)
        if let validator, profile.hasFolderETags {
            let (_, entry) = try await properties(of: path, isFolder: true, PropertyRequest.etag)
            if entry.isFolder, entry.etag?.opaque == validator { return .notModified }
        }
        var call = propfind("list", path, isFolder: true, depth: 1, PropertyRequest.items(profile))
        call.deadline = Self.listingDeadline
        let entries = try await multistatus(call)
        var checks = checks()
        let listing = try checks.listing(entries, of: folder)
        let itself = listing.folder.map {
            checks.item($0, at: path, marksReadable: false)
        }
        report(checks.findings)
        if let itself { try Self.check(itself, is: folder) }
        looks.note(size: listing.items.count, of: path)
        return .entries(
            listing.items,
            validator: profile.hasFolderETags ? listing.folder?.etag?.opaque : nil,
            folder: itself ?? unknownFolder(folder))
    }

    /// A folder that a server leaves out of its own listing.
    private func unknownFolder(_ folder: ItemReference) -> CloudItem {
        let last = folder.path.split(separator: "/").last.map(String.init)
        return CloudItem(
            reference: folder, name: ShownName.shortened(last ?? profile.rootName), size: 0,
            revision: nil, modified: nil)
    }

    package func item(_ reference: ItemReference) async throws(CloudStorageError) -> CloudItem {
        let path = try RemotePath(reference)
        let (item, _) = try await properties(
            of: path, isFolder: reference.isFolder, PropertyRequest.items(profile))
        try Self.check(item, is: reference)
        return item
    }

    /// What is at a path now, file or folder; nil where nothing is.
    func find(_ path: RemotePath) async throws(CloudStorageError) -> CloudItem? {
        do throws(CloudStorageError) {
            return try await properties(
                of: path, isFolder: false, PropertyRequest.items(profile)
            ).item
        } catch {
            guard error.kind == .notFound else { throw error }
            return nil
        }
    }

    /// Another item may have taken the path of the one that was asked for.
    static func check(
        _ item: CloudItem, is reference: ItemReference
    ) throws(CloudStorageError) {
        let isSameKind = item.reference.isFolder == reference.isFolder
        let isSameItem =
            reference.id == nil || item.reference.id == nil || reference.id == item.reference.id
        guard isSameKind, isSameItem else {
            throw CloudStorageError(.notFound, "another item has taken the path")
        }
    }

    // MARK: - PROPFIND

    /// The properties of one resource.
    func properties(
        of path: RemotePath, isFolder: Bool, _ body: [UInt8]
    ) async throws(CloudStorageError) -> (item: CloudItem, entry: ServerEntry) {
        let entries = try await multistatus(
            propfind("item", path, isFolder: isFolder, depth: 0, body))
        var checks = checks()
        let result = try checks.single(entries, at: path)
        report(checks.findings)
        return result
    }

    func propfind(
        _ name: String, _ path: RemotePath, isFolder: Bool, depth: Int, _ body: [UInt8]
    ) -> HTTPCall {
        var call = HTTPCall(name, .propfind, url: url(path, isFolder: isFolder))
        call.headers = [("Depth", String(depth))]
        call.body = .bytes(body, type: PropertyRequest.type)
        return call
    }

    func multistatus(_ call: HTTPCall) async throws(CloudStorageError) -> [ServerEntry] {
        let sink = MultistatusSink()
        let transport = transport
        let answer = try await authorized(call) { call throws(CloudStorageError) in
            try await transport.stream(call, to: sink)
        }
        guard answer.status == 207 else {
            throw answer.isSuccess
                ? CloudStorageError(.invalidAnswer, "PROPFIND answered with \(answer.status)")
                : WebDAVErrors.error(for: answer)
        }
        return sink.takeEntries()
    }

    package func changes(
        in root: RootIdentifier, since cursor: String?
    ) async throws(CloudStorageError) -> ChangePage {
        guard profile.hasFolderETags else {
            throw CloudStorageError(.unsupported, "WebDAV has no list of changes")
        }
        let (_, entry) = try await properties(of: .top, isFolder: true, PropertyRequest.etag)
        guard let etag = entry.etag?.opaque else {
            throw CloudStorageError(.unsupported, "the top folder has no ETag")
        }
        return ChangePage(items: [], cursor: etag)
    }
}
