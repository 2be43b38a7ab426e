package import CloudStorage
import FileSystemTypes
package import LeitzCloudAPI

/// Makes items of the seam from what the server sent, taking every field as hostile (DESIGN
/// section 3).
package struct ItemChecks: Sendable {
    /// Who the signed-in person is, to tell their own locks from others'.
    package struct Identity: Sendable, Hashable {
        package var personID: Int64?
        /// Lower case.
        package var emails: Set<String> = []

        package init() {}

        mutating func add(_ person: WirePerson) {
            personID = person.id
            emails.insert(person.email.lowercased())
        }
    }

    /// What was wrong with an answer and how it was mended, for the log.
    package enum Finding: Hashable, Sendable {
        case name(id: String)
        case foreignPath(id: String)
        case foreignRoot(id: String)
        case negativeSize(id: String)
        case absurdDate(id: String)
        case repeatedItem(id: String)
        case folderInItself(id: String)
        case unreadableEntry
    }

    /// Dates outside 1900…2200 are no dates of files.
    static let plausibleSeconds: ClosedRange<Int64> = -2_208_988_800...7_258_118_400

    var root: RootIdentifier
    var identity: Identity
    /// Locks this client has taken: servers that don't say who holds a lock leave it to us to know.
    package var ownLocks: Set<ItemReference.Key> = []
    /// What was mended since the value was made.
    package var findings: [Finding] = []

    package init(root: RootIdentifier, identity: Identity) {
        self.root = root
        self.identity = identity
    }

    /// The entries of a listing: one for each live item, all names different.
    /// - Parameter folder: the folder listed; its path is what its entries' paths begin with.
    package mutating func entries(_ wire: [WireItem], in folder: ItemReference) -> [CloudItem] {
        var seen: Set<ItemReference.Key> = []
        var items: [CloudItem] = []
        items.reserveCapacity(wire.count)
        for entry in wire where entry.isDeleted != true {
            let item = self.item(entry, in: folder)
            let key = ItemReference.Key(item.reference)
            if key == ItemReference.Key(folder) {
                findings.append(.folderInItself(id: key.id))
            } else if seen.insert(key).inserted {
                items.append(item)
            } else {
                findings.append(.repeatedItem(id: key.id))
            }
        }
        return distinct(items)
    }

    /// One item; its name is checked, but its siblings are not known.
    /// - Parameter folder: the folder it must be in; nil where that is not known.
    package mutating func item(_ wire: WireItem, in folder: ItemReference?) -> CloudItem {
        let id = String(wire.id)
        let serverName = wire.name ?? Self.lastPart(wire.path)
        let name = NameMapping.shortened(NameMapping.escaped(serverName), id: id)
        if name != serverName { findings.append(.name(id: id)) }
        if String(wire.rootID) != root.rawValue { findings.append(.foreignRoot(id: id)) }
        var path = wire.path
        if let folder, !Self.isChild(path, of: folder.path) {
            findings.append(.foreignPath(id: id))
            path = folder.path == "/" ? "/" + name : folder.path + "/" + name
        }
        let isFile = wire.type == .file
        let reference = ItemReference(
            root: root, kind: isFile ? .file : .folder, id: id, path: path)
        let lock = lockState(wire.isLocked, wire.locks, of: reference)
        return CloudItem(
            reference: reference, name: name, size: isFile ? size(wire) : 0,
            revision: isFile ? wire.revisionID.map { String($0) } : nil, modified: modified(wire),
            permissions: Self.permissions(wire.permissions), isLocked: lock.isLocked,
            lockHolder: lock.holder, lockExpires: lock.expires, isDeleted: wire.isDeleted ?? false)
    }

    /// Whether somebody else holds a lock, who, and until when.
    func lockState(
        _ isLocked: Bool?, _ locks: [WireLock]?, of reference: ItemReference
    ) -> (isLocked: Bool, holder: String?, expires: FileTime?) {
        let locks = locks ?? []
        if let other = locks.first(where: { !isOwn($0, of: reference) }) {
            let holder = other.displayName ?? other.email
            let expires = other.expires.flatMap { WireDate.parse($0) }
            return (
                true, holder.map { String($0.prefix(200)) }, expires.map { FileTime(seconds: $0) }
            )
        }
        guard locks.isEmpty, isLocked == true else { return (false, nil, nil) }
        return (!holdsLock(reference), nil, nil)
    }

    /// What the words allow; all where there are none (the call did not ask for them).
    static func permissions(_ words: [String]?) -> ItemPermissions {
        guard let words else { return .all }
        var permissions: ItemPermissions = []
        for word in words {
            let word = word.uppercased()
            if word.contains("WRITE") { permissions.insert([.read, .write]) }
            if word.contains("READ") || word.contains("VIEW") { permissions.insert(.read) }
        }
        return permissions
    }

    private func isOwn(_ lock: WireLock, of reference: ItemReference) -> Bool {
        if let person = lock.personID, let own = identity.personID { return person == own }
        if let email = lock.email { return identity.emails.contains(email.lowercased()) }
        return lock.personID == nil && holdsLock(reference)
    }

    private func holdsLock(_ reference: ItemReference) -> Bool {
        ownLocks.contains(ItemReference.Key(reference))
    }

    private mutating func size(_ wire: WireItem) -> Int64 {
        let size = wire.size ?? 0
        if size < 0 { findings.append(.negativeSize(id: String(wire.id))) }
        return max(0, size)
    }

    private mutating func modified(_ wire: WireItem) -> FileTime? {
        guard let text = wire.modified else { return nil }
        guard let seconds = WireDate.parse(text), Self.plausibleSeconds.contains(seconds) else {
            findings.append(.absurdDate(id: String(wire.id)))
            return nil
        }
        return FileTime(seconds: seconds)
    }

    /// Gives the second and every further item of one name a mark. Which one counts as the first
    /// does not depend on the order the server lists them in.
    private mutating func distinct(_ items: [CloudItem]) -> [CloudItem] {
        // By bytes: Swift counts canonically equal names (NFC, NFD) as one, Linux as two.
        var byName: [[UInt8]: [Int]] = [:]
        for index in items.indices {
            byName[Array(items[index].name.utf8), default: []].append(index)
        }
        guard byName.count < items.count else { return items }
        var items = items
        var taken = Set(byName.keys)
        let clashes = byName.values.filter { $0.count > 1 }.flatMap { indices in
            indices.sorted { Self.precedes(items[$0], items[$1]) }.dropFirst()
        }
        for index in clashes.sorted(by: { Self.precedes(items[$0], items[$1]) }) {
            let id = items[index].reference.id ?? ""
            repeat {
                items[index].name = NameMapping.marked(items[index].name, id: id)
            } while !taken.insert(Array(items[index].name.utf8)).inserted
            findings.append(.name(id: id))
        }
        return items
    }

    private static func precedes(_ left: CloudItem, _ right: CloudItem) -> Bool {
        let leftID = left.reference.id.flatMap { Int64($0) } ?? 0
        let rightID = right.reference.id.flatMap { Int64($0) } ?? 0
        return (left.reference.kind.rawValue, leftID) < (right.reference.kind.rawValue, rightID)
    }

    /// What stands behind the last `/`.
    static func lastPart(_ path: String) -> String {
        let bytes = path.utf8
        guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return path }
        return String(path[bytes.index(after: slash)...])
    }

    private static func isChild(_ path: String, of folder: String) -> Bool {
        let prefix = folder == "/" ? "/" : folder + "/"
        return path.utf8.starts(with: prefix.utf8) && path.utf8.count > prefix.utf8.count
            && !path.utf8.dropFirst(prefix.utf8.count).contains(UInt8(ascii: "/"))
    }
}

extension ItemReference {
    /// Identity without the path, which changes when something is moved.
    package struct Key: Hashable, Sendable {
        package var root: RootIdentifier
        package var kind: Kind
        package var id: String

        package init(_ reference: ItemReference) {
            root = reference.root
            kind = reference.kind
            id = reference.id ?? ""
        }
    }
}
