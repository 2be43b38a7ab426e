package import CloudStorage
import FoundationEssentials
import HTTPTransport
import LeitzCloudAPI
import Logging
import Synchronization

// Source: API v2, "Person-Methoden", "Datei-Methoden", "Ordner-Methode", "Root-Methoden".
extension LeitzCloudClient {
    /// Listings of a hundred thousand entries and more fit; nothing else comes near.
    private static let maximumListingSize = 256 << 20
    private static let maximumPages = 10_000

    package func account() async throws(CloudStorageError) -> AccountDescription {
        var call = HTTPCall("account", .get, url: address.url(APIRoute.person))
        call.maximumAnswerSize = 16 << 20
        let answer = try await succeeding(call, subject: .other)
        let person = try AnswerBody.decode(WirePerson.self, from: answer.body)
        var roots = person.roots ?? []
        if let own = person.rootID, !roots.contains(where: { $0.id == own }) {
            roots.append(try await rootObject(own))
        }
        let ownLocks = state.withLock { state in
            state.identity.add(person)
            return state.ownLocks
        }
        return AccountAnswer.describe(person, roots: roots, ownLocks: ownLocks)
    }

    private func rootObject(_ id: Int64) async throws(CloudStorageError) -> WireRoot {
        let url = address.url(
            APIRoute.item(.root(id)),
            query: [("include_children", "false"), ("include_permissions", "true")])
        let answer = try await succeeding(HTTPCall("item", .get, url: url), subject: .other)
        return try AnswerBody.decode(WireRoot.self, from: answer.body)
    }

    package func list(
        _ folder: ItemReference, validator: String?
    ) async throws(CloudStorageError) -> FolderListing {
        let answer = try await listingAnswer(folder, validator: validator, offset: 0)
        if answer.status == 304 {
            guard validator != nil else {
                throw CloudStorageError(.invalidAnswer, "304 to a listing without a validator")
            }
            return .notModified
        }
        var listing = try decodeListing(answer, of: folder)
        // Nothing says that listings are paged; where one says so itself, it must not be cut short.
        var pages = 1
        while let total = listing.total, let count = listing.children?.count, count < total {
            pages += 1
            let next = try decodeListing(
                try await listingAnswer(folder, validator: nil, offset: count), of: folder)
            guard let more = next.children, !more.isEmpty, pages <= Self.maximumPages else {
                throw CloudStorageError(.invalidAnswer, "the listing is shorter than it says")
            }
            listing.children?.append(contentsOf: more)
        }
        return await checked(listing, of: folder)
    }

    private func listingAnswer(
        _ folder: ItemReference, validator: String?, offset: Int
    ) async throws(CloudStorageError) -> HTTPAnswer {
        // The hash is a signature of this very answer: the same parameters every time.
        var query = [
            ("include_deleted", "false"), ("include_permissions", "true"),
            ("include_lock_info", "true"),
        ]
        if let validator { query.append(("hash", validator)) }
        if offset > 0 { query.append(("offset", String(offset))) }
        let route = APIRoute.item(try folderAddress(folder))
        var call = HTTPCall("list", .get, url: address.url(route, query: query))
        call.maximumAnswerSize = Self.maximumListingSize
        let answer = try await authorized(call)
        guard answer.isSuccess || answer.status == 304 else {
            throw AnswerErrors.error(for: answer, of: .item)
        }
        return answer
    }

    private func decodeListing(
        _ answer: HTTPAnswer, of folder: ItemReference
    ) throws(CloudStorageError) -> ListingAnswer {
        let listing = try AnswerBody.decode(ListingAnswer.self, from: answer.body)
        guard listing.isDeleted != true else {
            throw CloudStorageError(.notFound, "the folder is deleted")
        }
        guard String(listing.id) == folder.id ?? folder.root.rawValue, listing.children != nil
        else { throw CloudStorageError(.invalidAnswer, "the listing is not of the folder asked") }
        return listing
    }

    private func checked(
        _ listing: ListingAnswer, of folder: ItemReference
    ) async -> FolderListing {
        let wire = (listing.children ?? []).compactMap(\.item)
        if wire.contains(where: { $0.isLocked == true || $0.locks?.isEmpty == false }) {
            await learnIdentity()
        }
        var checks = checks(for: folder.root)
        let itself = checkedFolder(listing, folder, &checks)
        let items = checks.entries(wire, in: itself.reference)
        let unreadable = (listing.children?.count ?? 0) - wire.count
        checks.findings += Array(repeating: .unreadableEntry, count: unreadable)
        report(checks.findings, in: folder.root)
        var alone: [ItemReference.Key: String] = [:]
        if !checks.findings.isEmpty {
            for entry in wire {
                let item = checks.item(entry, in: nil)
                alone[ItemReference.Key(item.reference)] = item.name
            }
        }
        state.withLock { $0.didList(items, alone: alone) }
        return .entries(items, validator: listing.hash, folder: itself)
    }

    private func checkedFolder(
        _ listing: ListingAnswer, _ folder: ItemReference, _ checks: inout ItemChecks
    ) -> CloudItem {
        var reference = folder
        if folder.kind == .root {
            reference.path = "/"
        } else {
            reference.path = listing.path ?? folder.path
        }
        let id = folder.id ?? folder.root.rawValue
        let serverName = listing.name ?? ItemChecks.lastPart(reference.path)
        let name = NameMapping.shortened(NameMapping.escaped(serverName), id: id)
        let lock = checks.lockState(listing.isLocked, listing.locks, of: reference)
        let item = CloudItem(
            reference: reference, name: name, size: 0, revision: nil, modified: nil,
            permissions: ItemChecks.permissions(listing.permissions), isLocked: lock.isLocked,
            lockHolder: lock.holder, lockExpires: lock.expires)
        return state.withLock { $0.named(item) }
    }

    /// Asks once who the person is, so that their own locks are known as theirs.
    private func learnIdentity() async {
        guard state.withLock({ $0.identity.personID == nil }) else { return }
        do throws(CloudStorageError) {
            _ = try await account()
        } catch {
            options.logger.debug(
                "The person could not be asked for", metadata: ["error": "\(error.kind)"])
        }
    }

    package func item(_ reference: ItemReference) async throws(CloudStorageError) -> CloudItem {
        var query = [("include_permissions", "true")]
        if reference.isFolder { query.insert(("include_children", "false"), at: 0) }
        let url = address.url(APIRoute.item(try itemAddress(reference)), query: query)
        let answer = try await succeeding(HTTPCall("item", .get, url: url), subject: .item)
        guard !reference.isFolder else {
            let listing = try AnswerBody.decode(ListingAnswer.self, from: answer.body)
            guard listing.isDeleted != true else {
                throw CloudStorageError(.notFound, "the folder is deleted")
            }
            var checks = checks(for: reference.root)
            return checkedFolder(listing, reference, &checks)
        }
        let wire = try AnswerBody.decode(WireItem.self, from: answer.body)
        guard String(wire.id) == reference.id, wire.type == .file else {
            throw CloudStorageError(.invalidAnswer, "the answer is about another item")
        }
        guard wire.isDeleted != true else {
            throw CloudStorageError(.notFound, "the file is deleted")
        }
        if wire.locks?.isEmpty == false { await learnIdentity() }
        let item = checkedItem(wire, root: reference.root)
        state.withLock { $0.noteRevision(of: item) }
        return item
    }
}
