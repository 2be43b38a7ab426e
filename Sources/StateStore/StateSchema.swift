import GRDB

/// The tables of `state.sqlite` and how older versions of them become the current one.
///
/// Migrations are only ever added: what a released version made is never changed.
package enum StateSchema {
    /// All migrations, oldest first.
    package static var migrations: [(name: String, sql: String)] {
        [("1", version1), ("2", version2), ("3", version3)]
    }

    /// The migrator of the given migrations, which are applied in order, each in a transaction.
    static func migrator(_ migrations: [(name: String, sql: String)]) -> DatabaseMigrator {
        var migrator = DatabaseMigrator()
        for (name, sql) in migrations {
            migrator.registerMigration(name, foreignKeyChecks: .immediate) { db in
                try db.execute(sql: sql)
            }
        }
        return migrator
    }

    // `inode` holds NULL in `server_root` for what is only on this machine. The index of server
    // identities isn't unique: while an item is replaced two rows may stand for it. Times are
    // INTEGER nanoseconds since 1970, or TEXT "seconds:nanoseconds" outside the years 1678-2261.
    private static let version1 = """
        CREATE TABLE inode (
            inode INTEGER PRIMARY KEY,
            parent INTEGER NOT NULL,
            name TEXT NOT NULL,
            kind INTEGER NOT NULL,
            server_root TEXT,
            server_kind INTEGER,
            server_id TEXT,
            server_path TEXT,
            server_revision TEXT,
            server_size INTEGER,
            server_modified ANY,
            server_permissions INTEGER,
            server_locked INTEGER,
            mode INTEGER,
            user_id INTEGER,
            group_id INTEGER,
            modified ANY,
            changed ANY,
            accessed ANY,
            overlay_revision TEXT,
            symlink_target TEXT,
            is_local_only INTEGER NOT NULL,
            content_file TEXT,
            size INTEGER,
            listing_validator TEXT,
            is_listed INTEGER NOT NULL
        );
        CREATE INDEX inode_parent ON inode(parent);
        CREATE INDEX inode_server
            ON inode(server_root, server_kind, coalesce(server_id, server_path))
            WHERE server_root IS NOT NULL;
        CREATE INDEX inode_unsent ON inode(inode)
            WHERE content_file IS NOT NULL OR (server_root IS NULL AND is_local_only = 0);
        CREATE TABLE attribute (
            inode INTEGER NOT NULL,
            name TEXT NOT NULL,
            value BLOB,
            PRIMARY KEY (inode, name)
        ) WITHOUT ROWID;
        CREATE TABLE intent (
            id INTEGER PRIMARY KEY,
            kind TEXT NOT NULL,
            payload BLOB,
            created_at ANY NOT NULL
        );
        CREATE TABLE value (
            key TEXT PRIMARY KEY,
            value TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE counter (
            next_number INTEGER NOT NULL,
            syncs INTEGER NOT NULL
        );
        INSERT INTO counter(next_number, syncs) VALUES (2, 0);
        """

    // `server_name` is set where the server has an item elsewhere than `parent` and `name` say.
    private static let version2 = """
        ALTER TABLE inode ADD COLUMN missing_content TEXT;
        ALTER TABLE inode ADD COLUMN server_parent INTEGER;
        ALTER TABLE inode ADD COLUMN server_name TEXT;
        ALTER TABLE inode ADD COLUMN is_removed INTEGER NOT NULL DEFAULT 0;
        DROP INDEX inode_unsent;
        CREATE INDEX inode_unsent ON inode(inode)
            WHERE content_file IS NOT NULL OR (server_root IS NULL AND is_local_only = 0)
            OR server_name IS NOT NULL OR is_removed <> 0;
        """

    private static let version3 = """
        ALTER TABLE inode ADD COLUMN lock_holder TEXT;
        ALTER TABLE inode ADD COLUMN lock_expires ANY;
        """
}
