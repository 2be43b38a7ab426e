import GRDB
import LeitzCloudAPI
import NIOCore

/// Turns rows into the objects of the document, as far as the options of a call ask for.
struct ItemEncoder: Sendable {
    let options: ListingOptions
    /// The permission words of the root, the same for everything in it.
    let permissions: [String]
    private var holders: [Int64: Holder] = [:]

    private struct Holder: Sendable {
        var email: String
        var displayName: String
    }

    init(options: ListingOptions, permissions: [String]) {
        self.options = options
        self.permissions = permissions
    }

    mutating func item(_ file: FileRow, path: String, inherited: [ActiveLock], _ tree: Tree) throws
        -> WireItem
    {
        var item = WireItem(type: .file, id: file.id, rootID: file.root, path: path)
        item.isDeleted = file.isDeleted
        item.revisionID = file.revision
        item.size = file.size
        item.sizeFormatted = ByteCount.format(file.size)
        item.created = WireDate.format(file.created)
        item.modified = WireDate.format(file.modified)
        try finish(&item, locks: inherited + [file.lock].compactMap(\.self), tree)
        return item
    }

    mutating func item(
        _ folder: FolderRow, path: String, inherited: [ActiveLock], _ tree: Tree
    ) throws -> WireItem {
        var item = WireItem(type: .folder, id: folder.id, rootID: folder.root, path: path)
        item.isDeleted = folder.isDeleted
        try finish(&item, locks: inherited + [folder.lock].compactMap(\.self), tree)
        return item
    }

    private mutating func finish(_ item: inout WireItem, locks: [ActiveLock], _ tree: Tree) throws {
        if options.lockInfo {
            item.isLocked = !locks.isEmpty
            item.locks = try wire(locks, tree)
        }
        if options.permissions { item.permissions = permissions }
    }

    /// The `locks` list: the item's own lock behind those of the folders above it.
    mutating func wire(_ locks: [ActiveLock], _ tree: Tree) throws -> [WireLock] {
        try locks.map { lock in
            let holder = try holder(lock.person, tree)
            return WireLock(
                personID: lock.person, email: holder?.email, displayName: holder?.displayName,
                expires: WireDate.format(lock.expires))
        }
    }

    private mutating func holder(_ person: Int64, _ tree: Tree) throws -> Holder? {
        if let known = holders[person] { return known }
        let row = try Row.fetchOne(
            tree.db.cachedStatement(sql: "SELECT email, display_name FROM persons WHERE id = ?"),
            arguments: [person])
        let holder = row.map { Holder(email: $0[0], displayName: $0[1]) }
        holders[person] = holder
        return holder
    }
}

/// Sizes for people: `100b`, `11.92k`, as in the document's examples.
enum ByteCount {
    static func format(_ bytes: Int64) -> String {
        var (text, unit) = parts(bytes)
        while text.hasSuffix("0") { text.removeLast() }
        if text.hasSuffix(".") { text.removeLast() }
        return text + unit
    }

    /// `4.00G`, as in the document's example of an activity.
    static func formatInWords(_ bytes: Int64) -> String {
        let (text, unit) = parts(bytes)
        return text + unit.uppercased()
    }

    /// The number with two decimals, and the unit.
    private static func parts(_ bytes: Int64) -> (text: String, unit: String) {
        var value = Double(bytes)
        var unit = 0
        let units = ["b", "k", "m", "g", "t"]
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        let hundredths = Int64((value * 100).rounded())
        let digits = String(hundredths % 100)
        return ("\(hundredths / 100)." + (digits.count < 2 ? "0" : "") + digits, units[unit])
    }
}
