import GRDB
import LeitzCloudAPI

/// The folders that are known of a machine's disks, by full paths such as `C:\Example`,
/// `/srv/data` and `\\server\share`.
enum MachineFolders {
    private static let maximumPath = 4_096
    /// Of one machine.
    private static let maximumFolders = 100_000

    /// The path with slashes only and none at its end; throws for one that is not absolute.
    static func normalized(_ path: String) throws(APIError) -> String {
        var text = String(path.map { $0 == "\\" ? "/" : $0 })
        while text.count > 1, text.hasSuffix("/") { text.removeLast() }
        let scalars = Array(text.unicodeScalars)
        let isDrive =
            scalars.count >= 2 && scalars[1] == ":" && scalars[0].isASCII
            && scalars[0].properties.isAlphabetic && (scalars.count == 2 || scalars[2] == "/")
        let hasBadPart = text.split(separator: "/").contains { $0 == "." || $0 == ".." }
        guard isDrive || text.hasPrefix("/"), !hasBadPart, text.utf8.count <= maximumPath,
            !text.utf8.contains(0)
        else { throw .invalid("path") }
        return text
    }

    /// The names below a path, or the drives; throws `not_found` for a path that isn't there.
    static func list(_ db: Database, machine: Int64, below path: String?) throws -> [String] {
        let paths = try String.fetchAll(
            db, sql: "SELECT path FROM machine_folders WHERE machine_id = ? ORDER BY path",
            arguments: [machine])
        guard let path else {
            return Set(paths.map { drive(of: $0) }).sorted()
        }
        let above = try normalized(path)
        let prefix = above == "/" ? "/" : above + "/"
        var names: Set<String> = []
        var isKnown = false
        for path in paths {
            if path == above { isKnown = true }
            guard path.hasPrefix(prefix), path != prefix else { continue }
            isKnown = true
            let rest = path.dropFirst(prefix.count)
            names.insert(String(rest.prefix { $0 != "/" }))
        }
        guard isKnown else { throw APIError.notFound }
        return names.sorted()
    }

    /// `C:`, `/`, or `//server/share`.
    private static func drive(of path: String) -> String {
        if path.hasPrefix("//") {
            return "//" + path.split(separator: "/").prefix(2).joined(separator: "/")
        }
        return path.hasPrefix("/") ? "/" : String(path.prefix { $0 != "/" })
    }

    /// Throws `policy_error` where the machine would have too many.
    static func add(_ db: Database, machine: Int64, paths: [String]) throws {
        let count = try Int.fetchOne(
            db, sql: "SELECT count(*) FROM machine_folders WHERE machine_id = ?",
            arguments: [machine])
        guard (count ?? 0) + paths.count <= maximumFolders else {
            throw APIError(409, .policyError, "The machine has too many folders.")
        }
        for path in paths {
            try db.cachedStatement(
                sql: "INSERT OR IGNORE INTO machine_folders (machine_id, path) VALUES (?, ?)"
            ).execute(arguments: [machine, try normalized(path)])
        }
    }

    /// What the machine's agent reports: from now on these are the folders.
    static func replace(_ db: Database, machine: Int64, paths: [String]) throws {
        try db.execute(
            sql: "DELETE FROM machine_folders WHERE machine_id = ?", arguments: [machine])
        try add(db, machine: machine, paths: paths)
    }
}
