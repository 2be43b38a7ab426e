import FoundationEssentials
import GRDB
import LeitzCloudAPI

/// Locks with tokens. They stand in a table of their own, and also in the item's row, where the
/// other face sees them as locks of the person who took them.
extension DAVTree {
    /// The locks that cover an item: on itself, and on a folder above with all below it.
    func locks(on node: DAVNode) throws -> [TokenLock] {
        let numbers = node.numbersUpwards
        return try activeLocks(on: numbers).filter { $0.item == numbers[0] || $0.isDeep }
    }

    private func activeLocks(on numbers: [Int64]) throws -> [TokenLock] {
        var locks: [TokenLock] = []
        let statement = try db.cachedStatement(
            sql: "SELECT \(TokenLock.columns) FROM dav_locks WHERE item = ? AND expires > ?")
        for number in numbers {
            locks += try Row.fetchAll(statement, arguments: [number, now]).map { TokenLock($0) }
        }
        return locks
    }

    /// Throws 423 where the client has not shown a token of each lock on the item.
    func checkLocks(on node: DAVNode, tokens: Set<String>) throws {
        if node.personLocks.contains(where: { $0.person != caller.person }) {
            throw DAVError.locked(node.path)
        }
        try check(try locks(on: node), tokens: tokens, path: node.path)
    }

    /// The same for an item that is to go: what is below it and the folder it is in count too.
    func checkRemoval(of node: DAVNode, tokens: Set<String>) throws {
        try checkLocks(on: node, tokens: tokens)
        let parent = node.file == nil ? node.chain.folders.dropFirst().first : node.chain.folder
        if let parent {
            try check(
                try activeLocks(on: [ItemNumber.folder(parent.id)]), tokens: tokens,
                path: Array(node.path.dropLast()))
        }
        guard node.isFolder else { return }
        for item in try lockedItems(below: node) {
            try check(try activeLocks(on: [item.number]), tokens: tokens, path: item.path)
        }
    }

    private func check(_ locks: [TokenLock], tokens: Set<String>, path: [String]) throws {
        for item in Set(locks.map(\.item)) {
            // One token of several shared locks is enough.
            let isShown = locks.contains {
                $0.item == item && tokens.contains($0.token) && $0.person == caller.person
            }
            if !isShown { throw DAVError.locked(path) }
        }
    }

    /// The items below a folder that have locks with tokens.
    private func lockedItems(below node: DAVNode) throws -> [LockedItem] {
        var items: [LockedItem] = []
        for (table, isFile) in [("files", true), ("folders", false)] {
            let rows = try Row.fetchAll(
                db.cachedStatement(
                    sql: """
                        SELECT id, parent_id, name FROM \(table) WHERE root_id = ? AND lock_expires > ?
                        AND substr(lock_guid, 1, 4) = ? AND parent_id IS NOT NULL
                        """), arguments: [node.root.id, now, ActiveLock.tokenMark])
            for row in rows {
                let (id, parent): (Int64, Int64) = (row[0], row[1])
                let folders = try tree.chain(parent, root: node.root.id).folders
                guard let top = folders.firstIndex(where: { $0.id == node.chain.folder.id }) else {
                    continue
                }
                items.append(
                    LockedItem(
                        number: isFile ? ItemNumber.file(id) : ItemNumber.folder(id),
                        path: node.path + folders[..<top].reversed().map(\.name) + [row[2]]))
            }
        }
        return items
    }

    /// Takes a new lock; throws 423 where another one stands against it.
    func lock(_ node: DAVNode, _ wish: LockWish) throws -> TokenLock {
        _ = try tree.writableRoot(node.root.id)
        if !tree.behaviour.userLockFiles { throw APIError.forbidden }
        if node.personLocks.contains(where: { $0.person != caller.person }) {
            throw DAVError.conflictingLock(node.path)
        }
        var others = try locks(on: node)
        if wish.isDeep, node.isFolder {
            others += try lockedItems(below: node).flatMap { try activeLocks(on: [$0.number]) }
        }
        if others.contains(where: { !wish.isShared || !$0.isShared }) {
            throw DAVError.conflictingLock(node.path)
        }
        try tree.run("DELETE FROM dav_locks WHERE expires <= ?", [now])
        let token = "opaquelocktoken:" + UUID().uuidString.lowercased()
        try tree.run(
            """
            INSERT INTO dav_locks (\(TokenLock.columns)) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                token, node.number, caller.person, wish.owner, wish.isShared,
                wish.isDeep && node.isFolder, wish.seconds, now, now + wish.seconds,
            ])
        try showInRow(node.number)
        try Tree.markTrees(db, from: node.chain.folder.id, now: now)
        return try lock(token, on: node)
    }

    /// Gives a lock a new end; throws 412 where the client has shown no token of one.
    func refresh(on node: DAVNode, tokens: Set<String>, seconds: Int64) throws -> TokenLock {
        let held = try locks(on: node).first {
            tokens.contains($0.token) && $0.person == caller.person
        }
        guard let held else {
            throw DAVError.preconditionFailed(
                "Failed to find a valid token for the lock to refresh", header: "If")
        }
        try tree.run(
            "UPDATE dav_locks SET seconds = ?, expires = ? WHERE token = ?",
            [seconds, now + seconds, held.token])
        try showInRow(held.item)
        return try lock(held.token, on: node)
    }

    private func lock(_ token: String, on node: DAVNode) throws -> TokenLock {
        guard let lock = try locks(on: node).first(where: { $0.token == token }) else {
            throw APIError.unknown
        }
        return lock
    }

    /// Ends a lock: 409 where the item has no such lock, 403 where it is somebody else's.
    func unlock(_ node: DAVNode, token: String) throws {
        guard let lock = try locks(on: node).first(where: { $0.token == token }) else {
            throw DAVError(
                409, "Sabre\\DAV\\Exception\\LockTokenMatchesRequestUri",
                "The url for the request does not match the lock token")
        }
        guard lock.person == caller.person else {
            throw DAVError.forbidden("The lock is somebody else's")
        }
        try tree.run("DELETE FROM dav_locks WHERE token = ?", [token])
        try showInRow(lock.item)
        try Tree.markTrees(db, from: node.chain.folder.id, now: now)
    }

    /// Ends the locks on an item and below it: they stay behind when it moves (RFC 4918 section
    /// 7.6).
    func leaveLocks(of node: DAVNode) throws {
        let below = node.isFolder ? try lockedItems(below: node).map(\.number) : []
        for number in [node.number] + below {
            try tree.run("DELETE FROM dav_locks WHERE item = ?", [number])
            try showInRow(number)
        }
    }

    /// Writes the item's longest lock into its row, unless a person's lock stands there.
    private func showInRow(_ number: Int64) throws {
        let longest = try Row.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT person_id, token, expires FROM dav_locks WHERE item = ? AND expires > ?
                    ORDER BY expires DESC LIMIT 1
                    """), arguments: [number, now])
        let person: Int64? = longest?[0]
        let token: String? = longest?[1]
        let expires: Int64? = longest?[2]
        let (table, id) = ItemNumber.row(number)
        try tree.run(
            """
            UPDATE \(table) SET lock_person = ?, lock_guid = ?, lock_expires = ? WHERE id = ?
            AND (lock_expires IS NULL OR lock_expires <= ? OR substr(lock_guid, 1, 4) = ?)
            """,
            [
                person, token.map { ActiveLock.tokenMark + $0 }, expires, id, now,
                ActiveLock.tokenMark,
            ])
    }

    // MARK: - Preconditions

    /// Checks all preconditions of a request against what its target is now.
    func check(_ request: DAVRequest) throws {
        let place = try place(request.path)
        if case .item(let node) = place {
            try request.conditions.check(etag: node.etag, isFolder: node.isFolder)
        } else {
            try request.conditions.check(etag: nil, isFolder: false)
        }
        try check(request.conditions.ifHeader, own: place, path: request.path)
    }

    /// Checks an `If` header; `own` is what its lists without a URL are about.
    func check(_ header: IfHeader?, own: Place, path: [String]) throws {
        guard let header else { return }
        for list in header.lists where try holds(list, own) { return }
        throw DAVError.preconditionFailed(
            "Failed to find a valid token/etag combination for "
                + path.joined(separator: "/"), header: "If")
    }

    private func holds(_ list: IfHeader.List, _ ownPlace: Place) throws -> Bool {
        var place = ownPlace
        if let resource = list.resource {
            place = .nowhere
            if case .files(let user, let path) = try DAVTarget(url: resource),
                user == nil || caller.isNamed(user)
            {
                place = try self.place(path)
            }
        }
        var tokens: Set<String> = []
        var etag: String?
        switch place {
        case .item(let node):
            tokens = Set(try locks(on: node).map(\.token))
            etag = node.etag
        case .free(let parent, _): tokens = Set(try locks(on: parent).map(\.token))
        case .nowhere: break
        }
        return list.terms.allSatisfy { term in
            let isTrue =
                switch term.condition {
                case .token(let token): tokens.contains(token)
                case .etag(let tag): tag == etag
                }
            return isTrue != term.isNegated
        }
    }
}

/// An item that has a lock with a token, and its path below the account's files.
private struct LockedItem {
    var number: Int64
    var path: [String]
}
