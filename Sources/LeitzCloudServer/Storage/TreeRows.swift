import GRDB

/// A lock that has not expired.
struct ActiveLock: Sendable, Equatable {
    var person: Int64
    /// Seconds since 1970.
    var expires: Int64
    /// Taken with LOCK: who has its token may write, not who its holder is.
    var isToken = false
}

extension ActiveLock {
    /// What `lock_guid` of a lock with a token begins with; the token is behind it.
    static let tokenMark = "dav:"
}

/// The lock columns of an item: still there after their time has passed.
private func activeLock(_ row: Row, at index: Int, now: Int64) -> ActiveLock? {
    guard let expires: Int64 = row[index + 1], expires > now, let person: Int64 = row[index] else {
        return nil
    }
    let guid: String? = row[index + 2]
    return ActiveLock(
        person: person, expires: expires, isToken: guid?.hasPrefix(ActiveLock.tokenMark) == true)
}

/// What rows of `folders` and of `files` have in common.
struct EntryRow: Sendable {
    /// `parent_id` (column 2) is read by each on its own: only a folder may have none.
    static let columns =
        "id, root_id, parent_id, name, is_deleted, lock_person, lock_expires, lock_guid"
    /// Where the columns of one table only begin.
    static let columnCount = 8

    var id: Int64
    var root: Int64
    var name: String
    var isDeleted: Bool
    var lock: ActiveLock?

    init(_ row: Row, now: Int64) {
        id = row[0]
        root = row[1]
        name = row[3]
        isDeleted = row[4]
        lock = activeLock(row, at: 5, now: now)
    }
}

/// A row of `folders`; the root's top level has a negative id and no parent.
@dynamicMemberLookup
struct FolderRow: Sendable {
    static let columns = EntryRow.columns + ", listing_version, tree_version, modified"

    private let entry: EntryRow
    var parent: Int64?
    var listingVersion: Int64
    /// Grows with every change of the folder or of anything below it.
    var treeVersion: Int64
    /// When that was last.
    var modified: Int64

    var isTop: Bool { parent == nil }

    init(_ row: Row, now: Int64) {
        entry = EntryRow(row, now: now)
        parent = row[2]
        let own = EntryRow.columnCount
        listingVersion = row[own]
        treeVersion = row[own + 1]
        modified = row[own + 2]
    }

    subscript<Value>(dynamicMember member: KeyPath<EntryRow, Value>) -> Value {
        entry[keyPath: member]
    }
}

/// A row of `files`.
@dynamicMemberLookup
struct FileRow: Sendable {
    static let columns =
        EntryRow.columns + ", created, modified, size, revision_id, owner_id, checksum"
    /// Where what a query has besides begins.
    static let columnCount = EntryRow.columnCount + 6

    private let entry: EntryRow
    var parent: Int64
    var created: Int64
    var modified: Int64
    var size: Int64
    var revision: Int64
    var owner: Int64
    /// As a WebDAV client sent it, such as `SHA1:…`; not verified.
    var checksum: String?

    init(_ row: Row, now: Int64) {
        entry = EntryRow(row, now: now)
        parent = row[2]
        let own = EntryRow.columnCount
        created = row[own]
        modified = row[own + 1]
        size = row[own + 2]
        revision = row[own + 3]
        owner = row[own + 4]
        checksum = row[own + 5]
    }

    subscript<Value>(dynamicMember member: KeyPath<EntryRow, Value>) -> Value {
        entry[keyPath: member]
    }
}

/// A root as one person sees it.
struct RootAccess: Sendable {
    var id: Int64
    var name: String
    var kind: String
    var spaceUsed: Int64
    /// The person's permission words, in a fixed order.
    var permissions: [String]
    /// Whose root it is.
    var organization: Int64

    /// The id of the folder row that stands for the root's top level.
    var top: Int64 { -id }

    func require(_ permission: String) throws(APIError) {
        if !permissions.contains(permission) { throw .forbidden }
    }
}

/// A folder with its way up to the root's top level.
struct FolderChain: Sendable {
    /// From the folder itself up to the top level.
    var folders: [FolderRow]

    var folder: FolderRow { folders[0] }

    /// The absolute path within the root; `/` for the top level.
    var path: String {
        folders.count == 1
            ? "/" : folders.dropLast().reversed().reduce(into: "") { $0 += "/" + $1.name }
    }

    /// The path of an item in this folder.
    func path(of name: String) -> String { (folders.count == 1 ? "" : path) + "/" + name }

    /// The active locks on the folder and on everything above it.
    var locks: [ActiveLock] { folders.compactMap(\.lock) }

    func contains(_ id: Int64) -> Bool { folders.contains { $0.id == id } }
}
