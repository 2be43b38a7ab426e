import GRDB
import LeitzCloudAPI

/// Paths of folders, kept for the length of one page.
struct FolderPaths {
    private var known: [Int64: FolderChain] = [:]

    mutating func chain(_ folder: Int64, _ tree: Tree, root: Int64) throws -> FolderChain {
        if let chain = known[folder] { return chain }
        let chain = try tree.chain(folder, root: root)
        known[folder] = chain
        return chain
    }
}

/// Files whose change the server saw at or after a time, oldest change first
/// (API v2, "Liste zuletzt geänderten Dateien").
struct ChangePages: RowPages {
    let root: RootAccess
    var encoder: ItemEncoder
    /// Where the next page starts: seconds since 1970 and, within that second, the last file seen.
    var changed: Int64
    var last = Int64.min

    mutating func next(_ tree: Tree, limit: Int, _ emit: (WireItem) -> Void) throws -> Bool {
        let liveOnly = encoder.options.deleted ? "" : " AND is_deleted = 0"
        let rows = try Row.fetchCursor(
            tree.db.cachedStatement(
                sql: """
                    SELECT \(FileRow.columns), changed FROM files
                    WHERE root_id = ? AND (changed, id) > (?, ?)\(liveOnly)
                    ORDER BY changed, id LIMIT ?
                    """), arguments: [root.id, changed, last, limit])
        var paths = FolderPaths()
        var count = 0
        while let row = try rows.next() {
            let file = FileRow(row, now: tree.now)
            let parent = try paths.chain(file.parent, tree, root: root.id)
            emit(
                try encoder.item(
                    file, path: parent.path(of: file.name), inherited: parent.locks, tree))
            changed = row[FileRow.columnCount]
            last = file.id
            count += 1
        }
        return count == limit
    }
}

/// Folders and files whose name holds a text, without regard to letter case; deleted ones left out
/// (API v2, "Dateien und Ordner durchsuchen").
struct SearchPages: RowPages {
    let root: RootAccess
    var encoder: ItemEncoder
    /// Folded.
    let text: String
    private var isInFiles = false
    private var last = Int64.min

    init(root: RootAccess, encoder: ItemEncoder, text: String) {
        self.root = root
        self.encoder = encoder
        self.text = NameRules.fold(text)
    }

    mutating func next(_ tree: Tree, limit: Int, _ emit: (WireItem) -> Void) throws -> Bool {
        var paths = FolderPaths()
        var remaining = limit
        if !isInFiles {
            let rows = try matches("folders", FolderRow.columns, tree, limit: limit)
            while let row = try rows.next() {
                let folder = FolderRow(row, now: tree.now)
                let parent = try paths.chain(folder.parent ?? root.top, tree, root: root.id)
                emit(
                    try encoder.item(
                        folder, path: parent.path(of: folder.name), inherited: parent.locks, tree))
                last = folder.id
                remaining -= 1
            }
            if remaining == 0 { return true }
            isInFiles = true
            last = .min
        }
        let rows = try matches("files", FileRow.columns, tree, limit: remaining)
        while let row = try rows.next() {
            let file = FileRow(row, now: tree.now)
            let parent = try paths.chain(file.parent, tree, root: root.id)
            emit(
                try encoder.item(
                    file, path: parent.path(of: file.name), inherited: parent.locks, tree))
            last = file.id
            remaining -= 1
        }
        return remaining == 0
    }

    private func matches(_ table: String, _ columns: String, _ tree: Tree, limit: Int) throws
        -> RowCursor
    {
        try Row.fetchCursor(
            tree.db.cachedStatement(
                sql: """
                    SELECT \(columns) FROM \(table) WHERE root_id = ? AND id > ?
                    AND is_deleted = 0 AND parent_id IS NOT NULL AND instr(folded, ?) > 0
                    ORDER BY id LIMIT ?
                    """), arguments: [root.id, last, text, limit])
    }
}
