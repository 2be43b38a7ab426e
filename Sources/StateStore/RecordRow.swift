import CloudStorage
import FileSystemTypes
import GRDB

/// An inode record as the row of table `inode` and back. The order of `columns` is that of both.
extension InodeRecord {
    static let columns = [
        "inode", "parent", "name", "kind", "server_root", "server_kind", "server_id",
        "server_path", "server_revision", "server_size", "server_modified", "server_permissions",
        "server_locked", "mode", "user_id", "group_id", "modified", "changed", "accessed",
        "overlay_revision", "symlink_target", "is_local_only", "content_file", "size",
        "listing_validator", "is_listed", "missing_content", "server_parent", "server_name",
        "is_removed", "lock_holder", "lock_expires",
    ]

    /// The columns for a SELECT from table `inode`.
    static let selection = columns.map { "inode." + $0 }.joined(separator: ",")

    /// Inserts a row, or replaces the one of the same inode.
    static let upsert = """
        INSERT INTO inode(\(columns.joined(separator: ",")))
        VALUES (\(columns.map { _ in "?" }.joined(separator: ",")))
        ON CONFLICT(inode) DO UPDATE SET
        \(columns.dropFirst().map { "\($0)=excluded.\($0)" }.joined(separator: ","))
        """

    /// Columns that an index is made of.
    private static let indexed: Set<String> = [
        "parent", "server_root", "server_kind", "server_id", "server_path", "is_local_only",
        "content_file", "server_name", "is_removed",
    ]

    /// Replaces the row of the same inode where the columns that an index is made of stay as they are;
    /// changes nothing elsewhere.
    static let updateInPlace: String = {
        let numbered = columns.enumerated().dropFirst().map { ($1, "?\($0 + 1)") }
        let changed = numbered.filter { !indexed.contains($0.0) }.map { "\($0.0)=\($0.1)" }
        let fixed = numbered.filter { indexed.contains($0.0) }.map { "\($0.0) IS \($0.1)" }
        return """
            UPDATE inode SET \(changed.joined(separator: ","))
            WHERE inode=?1 AND \(fixed.joined(separator: " AND "))
            """
    }()

    var rowValues: [DatabaseValue] {
        [
            .inode(inode), .inode(parent), .text(name), Int64(kind.rawValue).databaseValue,
            .text(server?.reference.root.rawValue),
            server.map { Int64($0.reference.kind.rawValue).databaseValue } ?? .null,
            .text(server?.reference.id), .text(server?.reference.path),
            .text(server?.revision), server?.size.databaseValue ?? .null,
            .time(server?.modified),
            server.map { Int64($0.permissions.rawValue).databaseValue } ?? .null,
            server?.isLocked.databaseValue ?? .null,
            overlay.mode.map { Int64($0).databaseValue } ?? .null,
            overlay.userID.map { Int64($0).databaseValue } ?? .null,
            overlay.groupID.map { Int64($0).databaseValue } ?? .null,
            .time(overlay.modified), .time(overlay.changed), .time(overlay.accessed),
            .text(overlay.revision), .text(symlinkTarget), isLocalOnly.databaseValue,
            .text(contentFile), size?.databaseValue ?? .null, .text(listingValidator),
            isListed.databaseValue, .ranges(missingContent),
            serverPlace.map { .inode($0.parent) } ?? .null, .text(serverPlace?.name),
            isRemoved.databaseValue, .text(server?.lockHolder), .time(server?.lockExpires),
        ]
    }

    /// - Throws: `DamagedValue` for a row that `rowValues` can't have made.
    init(row: Row) throws {
        guard let kind = FileKind(rawValue: try row.integer(3)) else { throw row.damage(3) }
        let localOnly: Int64 = try row.integer(21)
        let listed: Int64 = try row.integer(25)
        let removed: Int64 = try row.integer(29)
        self.init(
            inode: try row.inode(0), parent: try row.inode(1), name: try row.text(2), kind: kind,
            server: try ServerSide(row: row), overlay: try LocalOverlay(row: row),
            symlinkTarget: try row.optionalText(20), isLocalOnly: localOnly != 0,
            contentFile: try row.optionalText(22), size: try row.optionalInteger(23),
            missingContent: try row.ranges(26), serverPlace: try RecordedPlace(row: row),
            isRemoved: removed != 0,
            listingValidator: try row.optionalText(24), isListed: listed != 0)
    }
}

extension ServerSide {
    /// Nil where the row has no server side.
    fileprivate init?(row: Row) throws {
        guard let root = try row.optionalText(4) else { return nil }
        guard let kind = ItemReference.Kind(rawValue: try row.integer(5)) else {
            throw row.damage(5)
        }
        let locked: Int64 = try row.integer(12)
        self.init(
            reference: ItemReference(
                root: RootIdentifier(root), kind: kind, id: try row.optionalText(6),
                path: try row.text(7)),
            revision: try row.optionalText(8), size: try row.integer(9),
            modified: try row.time(10),
            permissions: ItemPermissions(rawValue: try row.integer(11)), isLocked: locked != 0,
            lockHolder: try row.optionalText(30), lockExpires: try row.time(31))
    }
}

extension RecordedPlace {
    /// Nil where the server has the item under its local name.
    fileprivate init?(row: Row) throws {
        guard let name = try row.optionalText(28) else { return nil }
        self.init(parent: try row.inode(27), name: name)
    }
}

extension LocalOverlay {
    fileprivate init(row: Row) throws {
        self.init(
            mode: try row.optionalInteger(13), userID: try row.optionalInteger(14),
            groupID: try row.optionalInteger(15), modified: try row.time(16),
            changed: try row.time(17), accessed: try row.time(18),
            revision: try row.optionalText(19))
    }
}
