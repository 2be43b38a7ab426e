import CloudStorage
import FileSystemTypes

/// Makes items of the seam from what the server sent, taking every field as hostile (DESIGN
/// section 3).
struct ItemChecks: Sendable {
    /// What was wrong with an answer and how it was mended, for the log.
    enum Finding: Hashable, Sendable {
        /// No name that a URL can point at: `.` or `..`.
        case unusableName
        case longName
        case notInFolder
        case repeatedEntry
        case badSize
        case absurdDate
        /// The server gave an error instead of the entry.
        case failedEntry(status: Int)
    }

    /// A listing as it can be used.
    struct Listing: Sendable {
        var items: [CloudItem]
        /// Nil where the server left the folder itself out.
        var folder: ServerEntry?
    }

    var profile: WebDAVProfile
    /// The decoded path of the account's files on the server.
    var base: [[UInt8]]
    /// The tokens of the locks this client holds.
    var ownTokens: Set<String> = []
    /// What this client writes into the `owner` of its locks.
    var ownLockOwner: String?
    private(set) var findings: [Finding] = []

    init(profile: WebDAVProfile, base: [[UInt8]]) {
        self.profile = profile
        self.base = base
    }

    /// The entries of a folder: one for each name, none that is not directly in it.
    /// - Throws: `invalidAnswer` where the answer is about another folder, `notFound` where it is
    ///   about a file.
    mutating func listing(
        _ entries: [ServerEntry], of folder: ItemReference
    ) throws(CloudStorageError) -> Listing {
        let path = try RemotePath(folder)
        let place = try place(of: path, in: entries)
        var listing = Listing(items: [], folder: nil)
        listing.items.reserveCapacity(entries.count)
        var seen: Set<[UInt8]> = []
        let marksReadable = entries.contains { $0.permissions?.contains("G") == true }
        for entry in entries {
            guard let below = entry.href.parts(below: place), below.count <= 1 else {
                findings.append(.notInFolder)
                continue
            }
            guard let part = below.first else {
                if listing.folder != nil { findings.append(.repeatedEntry) }
                listing.folder = listing.folder ?? entry
                continue
            }
            if let status = entry.status, try !isShown(status) { continue }
            guard ShownName.shown(part) != nil else {
                findings.append(.unusableName)
                continue
            }
            guard seen.insert(part).inserted else {
                findings.append(.repeatedEntry)
                continue
            }
            listing.items.append(
                item(entry, at: path.appending(part), marksReadable: marksReadable))
        }
        if let itself = listing.folder {
            if let status = itself.status, !(200..<300).contains(status) {
                throw WebDAVErrors.error(status: status)
            }
            guard itself.isFolder else {
                throw CloudStorageError(.notFound, "the server has a file there, not a folder")
            }
        }
        return listing
    }

    /// Whether an entry with a status of its own belongs into the listing: what is gone does not,
    /// what may not be looked at does.
    /// - Throws: where the entry is only out of reach now: a listing without it would be a lie.
    private mutating func isShown(_ status: Int) throws(CloudStorageError) -> Bool {
        guard !(200..<300).contains(status) else { return true }
        findings.append(.failedEntry(status: status))
        let error = WebDAVErrors.error(status: status)
        if error.failureClass == .retry { throw error }
        return error.kind != .notFound
    }

    /// The one item that a Depth 0 answer is about.
    mutating func single(
        _ entries: [ServerEntry], at path: RemotePath
    ) throws(CloudStorageError) -> (item: CloudItem, entry: ServerEntry) {
        let wanted = base + path.parts
        guard
            let entry = entries.first(where: { $0.href.parts == wanted })
                ?? (entries.count == 1 ? entries.first : nil)
        else {
            throw CloudStorageError(.invalidAnswer, "the answer is about another item")
        }
        if let status = entry.status, !(200..<300).contains(status) {
            throw WebDAVErrors.error(status: status)
        }
        // The server's spelling of the name counts, where it differs only in normalisation.
        var itself = path
        if let asked = path.parts.last, let answered = entry.href.parts.last, asked != answered,
            String(decoding: asked, as: UTF8.self) == String(decoding: answered, as: UTF8.self),
            let parent = path.parent
        {
            itself = parent.appending(answered)
        }
        return (item(entry, at: itself, marksReadable: false), entry)
    }

    /// An entry as an item of the seam.
    mutating func item(
        _ entry: ServerEntry, at path: RemotePath, marksReadable: Bool
    ) -> CloudItem {
        let text = path.text
        let isTop = path.parts.isEmpty
        let fullName = path.parts.last.flatMap { ShownName.shown($0) } ?? profile.rootName
        let name = ShownName.shortened(fullName)
        if name != fullName { findings.append(.longName) }
        if entry.hasBadSize { findings.append(.badSize) }
        if entry.hasBadDate { findings.append(.absurdDate) }
        let kind: ItemReference.Kind = isTop ? .root : entry.isFolder ? .folder : .file
        let size = entry.isFolder ? 0 : max(0, entry.size ?? 0)
        let lock = lockState(of: entry)
        return CloudItem(
            reference: ItemReference(
                root: WebDAVClient.root, kind: kind, id: isTop ? nil : entry.fileID, path: text),
            name: name, size: size,
            revision: entry.isFolder ? nil : revision(of: entry),
            modified: entry.modified.map { FileTime(seconds: $0) },
            permissions: permissions(of: entry, marksReadable: marksReadable),
            isLocked: lock.isLocked, lockHolder: lock.holder)
    }

    func revision(of entry: ServerEntry) -> String {
        ContentRevision(etag: entry.etag, size: entry.size, modified: entry.modified)
            .text(byETagAlone: profile.revisionIsETag)
    }

    /// Whether somebody else holds a lock, and who.
    func lockState(of entry: ServerEntry) -> (isLocked: Bool, holder: String?) {
        let others = entry.locks.filter { !isOwn($0) }
        if let lock = entry.appLock {
            // A token lock is in the list of locks as well. A person's own lock keeps only others
            // out, an application's keeps its own person out too.
            if lock.type == 2, others.isEmpty, !entry.locks.isEmpty { return (false, nil) }
            if lock.type == 0, lock.owner == profile.userID { return (false, nil) }
            let holder = lock.displayName.flatMap { $0.isEmpty ? nil : $0 } ?? lock.owner
            return (true, holder.isEmpty ? nil : String(holder.prefix(200)))
        }
        guard let other = others.first else { return (false, nil) }
        return (true, other.owner.isEmpty ? nil : String(other.owner.prefix(200)))
    }

    func isOwn(_ lock: ActiveLock) -> Bool {
        lock.token.map { ownTokens.contains($0) } == true
            || (ownLockOwner != nil && lock.owner == ownLockOwner)
    }

    /// What the letters of `oc:permissions` allow; all where there are none.
    private func permissions(
        of entry: ServerEntry, marksReadable: Bool
    ) -> ItemPermissions {
        if let status = entry.status, !(200..<300).contains(status) { return [] }
        guard let letters = entry.permissions else { return .all }
        var permissions: ItemPermissions = marksReadable && !letters.contains("G") ? [] : .read
        let writes = entry.isFolder ? "CK" : "W"
        if letters.contains(where: { writes.contains($0) }) { permissions.insert(.write) }
        return permissions
    }

    /// The path that the folder's own entry has in this answer: the one asked for, or, behind a
    /// proxy that maps paths, another one that ends alike.
    private func place(
        of path: RemotePath, in entries: [ServerEntry]
    ) throws(CloudStorageError) -> [[UInt8]] {
        let wanted = base + path.parts
        let isAsAsked = entries.contains {
            $0.href.parts == wanted || Array($0.href.parts.dropLast()) == wanted
        }
        if isAsAsked { return wanted }
        // An answer without any entry says nothing, least of all that the folder is empty.
        guard let top = entries.min(by: { $0.href.parts.count < $1.href.parts.count }) else {
            throw CloudStorageError(.invalidAnswer, "the listing is empty, without its folder")
        }
        let place = top.href.parts
        let endsAlike =
            place.count >= path.parts.count
            && zip(place.suffix(path.parts.count), path.parts).allSatisfy {
                String(decoding: $0, as: UTF8.self) == String(decoding: $1, as: UTF8.self)
            }
        guard endsAlike, entries.allSatisfy({ $0.href.parts.starts(with: place) }) else {
            throw CloudStorageError(.invalidAnswer, "the listing is not of the folder asked for")
        }
        return place
    }
}
