import GRDB
import LeitzCloudAPI

/// The changes of the tree by paths; each runs in a write transaction and checks everything itself.
extension DAVTree {
    /// MKCOL.
    func makeFolder(_ request: DAVRequest) throws -> DAVNode {
        try check(request)
        switch try place(request.path) {
        case .item:
            throw DAVError.methodNotAllowed("The resource you tried to create already exists")
        case .nowhere: throw DAVError.conflict("Parent node does not exist")
        case .free(let parent, let name):
            try DAVNames.check(name, isFolder: true, tree.behaviour)
            try checkLocks(on: parent, tokens: request.tokens)
            let chain = try tree.createFolder(in: parent.address, name: name)
            try tree.run(
                "UPDATE folders SET modified = ? WHERE id = ?", [now, chain.folder.id])
            return node(chain.folder, in: parent)
        }
    }

    /// DELETE.
    func delete(_ request: DAVRequest) throws {
        let node = try node(request.path)
        try check(request)
        try remove(node, tokens: request.tokens)
    }

    private func remove(_ node: DAVNode, tokens: Set<String>) throws {
        guard !node.isHome, !node.isMount else {
            throw DAVError.forbidden("This folder can't be deleted or replaced")
        }
        try checkRemoval(of: node, tokens: tokens)
        try tree.delete(node.address)
    }

    /// Where a MOVE or COPY ends.
    struct Goal {
        var parent: DAVNode
        var name: String
        /// What has the name so far.
        var replaced: DAVNode?
    }

    /// Checks everything about a MOVE or COPY but the removal of its source.
    func goal(of source: DAVNode, at path: [String], _ request: DAVRequest) throws -> Goal {
        switch try place(path) {
        case .nowhere: throw DAVError.conflict("The destination node is not found")
        case .free(let parent, let name):
            try Self.checkOutside(source, parent)
            try DAVNames.check(name, isFolder: source.isFolder, tree.behaviour)
            try checkLocks(on: parent, tokens: request.tokens)
            return Goal(parent: parent, name: name)
        case .item(let there):
            guard there.number != source.number else {
                throw DAVError.forbidden("Source and destination uri are identical.")
            }
            guard request.overwrites else {
                throw DAVError.preconditionFailed(
                    "The destination node already exists, and the overwrite header is set to false",
                    header: "Overwrite")
            }
            try Self.checkOutside(source, there)
            if there.isHome || (there.isFolder && source.chain.contains(there.chain.folder.id)) {
                throw DAVError.conflict("The destination may not hold the source.")
            }
            let parent = try node(Array(path.dropLast()))
            return Goal(parent: parent, name: there.name, replaced: there)
        }
    }

    /// By the rows, not by the names: two that look alike may be there.
    private static func checkOutside(_ source: DAVNode, _ place: DAVNode) throws(DAVError) {
        if source.isFolder, place.chain.contains(source.chain.folder.id) {
            throw .conflict(
                "The destination may not be part of the same subtree as the source path.")
        }
    }

    /// Takes away what has the name at the goal.
    func clear(_ goal: Goal, tokens: Set<String>) throws {
        if let replaced = goal.replaced { try remove(replaced, tokens: tokens) }
    }

    /// Moves within a root; the item keeps its number.
    func place(_ source: DAVNode, at goal: Goal) throws {
        let address = source.address
        _ = try tree.writableRoot(address.root)
        let parent = goal.parent.chain.folder.id
        try tree.checkLocks(source.chain.locks + goal.parent.chain.locks)
        if try tree.holder(of: goal.name, in: parent) != nil { throw APIError.nameConflict }
        let folded = NameRules.fold(goal.name)
        let former: Int64
        if let file = source.file {
            former = file.parent
            try tree.checkLocks([file.lock].compactMap(\.self))
            try tree.run(
                "UPDATE files SET parent_id = ?, name = ?, folded = ?, changed = ? WHERE id = ?",
                [parent, goal.name, folded, now, file.id])
        } else {
            former = source.chain.folders[1].id
            try tree.checkLocksBelow(source.chain.folder)
            try tree.run(
                """
                UPDATE folders SET parent_id = ?, name = ?, folded = ?,
                listing_version = listing_version + 1 WHERE id = ?
                """, [parent, goal.name, folded, source.chain.folder.id])
        }
        try tree.touch(former)
        try tree.touch(parent)
        let path = (source.path + ["->"] + goal.parent.path + [goal.name]).joined(separator: "/")
        try tree.note(former == parent ? .itemRenamed : .itemMoved, source.root, "/" + path)
    }

    // MARK: - Content

    /// Where content may go that arrives for a path.
    func contentGoal(_ path: [String], tokens: Set<String>) throws -> Goal {
        switch try place(path) {
        case .nowhere:
            if path.count > 1, case .item = try place(Array(path.dropLast())) {
                throw DAVError.conflict("Parent node is not a folder")
            }
            throw DAVError.notFound(Array(path.dropLast()))
        case .free(let parent, let name):
            _ = try tree.writableRoot(parent.root.id)
            try DAVNames.check(name, isFolder: false, tree.behaviour)
            try checkLocks(on: parent, tokens: tokens)
            return Goal(parent: parent, name: name)
        case .item(let there):
            guard there.file != nil else {
                throw DAVError.conflict("PUT is not allowed on non-files.")
            }
            _ = try tree.writableRoot(there.root.id)
            try checkLocks(on: there, tokens: tokens)
            let parent = try node(Array(path.dropLast()))
            return Goal(parent: parent, name: there.name, replaced: there)
        }
    }

    /// Bytes that the file at a goal may have: what it replaces gives its room.
    func room(at goal: Goal) throws -> Int64 {
        let replaced = goal.replaced?.file
        let freed = replaced.map { $0.owner == caller.person ? $0.size : 0 } ?? 0
        return try quota().available + freed
    }

    /// Puts content that is on disk at its goal.
    func put(_ content: Tree.NewContent, at goal: Goal) throws -> DAVNode {
        let made = try tree.addContent(content, to: goal.parent.address)
        return node(made.file, in: goal.parent)
    }

    /// Sets the modification time of a file or folder.
    func setModified(_ seconds: Int64, of node: DAVNode) throws {
        _ = try tree.writableRoot(node.root.id)
        let (table, id) = ItemNumber.row(node.number)
        try Tree.markTrees(db, from: node.chain.folder.id, now: now)
        if node.isFolder {
            try tree.run("UPDATE \(table) SET modified = ? WHERE id = ?", [seconds, id])
        } else {
            try tree.run(
                "UPDATE \(table) SET modified = ?, changed = ? WHERE id = ?", [seconds, now, id])
            try tree.touch(node.chain.folder.id)
        }
    }
}

extension DAVRequest {
    /// The lock tokens that the client shows it has.
    var tokens: Set<String> { conditions.ifHeader?.tokens ?? [] }
}
