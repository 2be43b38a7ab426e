import GRDB

/// The tables of the server and how older versions of them are brought up to date.
enum Schema {
    static var migrator: DatabaseMigrator {
        var migrator = DatabaseMigrator()
        migrator.registerMigration("1") { db in
            try db.execute(sql: accounts)
            try db.execute(sql: tree)
        }
        migrator.registerMigration("2") { db in
            try db.execute(sql: webDAV)
            try db.execute(
                sql: "INSERT INTO instance (id) VALUES (?)",
                arguments: ["oc" + TokenHash.random(bytes: 5)])
        }
        migrator.registerMigration("3", migrate: addOrganizations)
        migrator.registerMigration("4") { db in try db.execute(sql: retention) }
        return migrator
    }

    private static let accounts = """
        CREATE TABLE roots (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL,
            kind TEXT NOT NULL CHECK (kind IN ('sync', 'share', 'backup')),
            is_deleted INTEGER NOT NULL DEFAULT 0,
            space_used INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE TABLE persons (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            email TEXT NOT NULL UNIQUE COLLATE NOCASE,
            password TEXT NOT NULL,
            display_name TEXT NOT NULL,
            quota INTEGER NOT NULL,
            space_usage INTEGER NOT NULL DEFAULT 0,
            own_root_id INTEGER REFERENCES roots (id),
            two_step_mode TEXT,
            two_step_code TEXT,
            failed_tries INTEGER NOT NULL DEFAULT 0,
            locked_until INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE TABLE subscriptions (
            person_id INTEGER NOT NULL REFERENCES persons (id),
            root_id INTEGER NOT NULL REFERENCES roots (id),
            permissions TEXT NOT NULL,
            PRIMARY KEY (person_id, root_id)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE machines (
            guid TEXT PRIMARY KEY,
            person_id INTEGER NOT NULL REFERENCES persons (id),
            dns_name TEXT,
            os_type TEXT,
            os_version TEXT,
            last_seen INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX machines_by_person ON machines (person_id, last_seen);
        CREATE TABLE sessions (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            person_id INTEGER NOT NULL REFERENCES persons (id),
            guid TEXT NOT NULL,
            refresh_hash TEXT NOT NULL UNIQUE,
            last_used INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX sessions_by_person ON sessions (person_id, last_used);
        CREATE TABLE access_tokens (
            hash TEXT PRIMARY KEY,
            session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
            expires INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX access_tokens_by_session ON access_tokens (session_id, expires);
        CREATE INDEX access_tokens_by_expiry ON access_tokens (expires);
        """

    /// A root's top level is the folder with the negated id of the root, so that every item has a
    /// parent; that row also carries the root's own lock.
    private static let tree = """
        CREATE TABLE folders (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            root_id INTEGER NOT NULL REFERENCES roots (id),
            parent_id INTEGER REFERENCES folders (id),
            name TEXT NOT NULL,
            folded TEXT NOT NULL,
            is_deleted INTEGER NOT NULL DEFAULT 0,
            listing_version INTEGER NOT NULL DEFAULT 0,
            lock_person INTEGER REFERENCES persons (id),
            lock_guid TEXT,
            lock_expires INTEGER
        ) STRICT;
        CREATE INDEX folders_by_parent ON folders (parent_id, id);
        CREATE UNIQUE INDEX folders_live_name ON folders (parent_id, name) WHERE is_deleted = 0;
        CREATE INDEX folders_folded ON folders (parent_id, folded);
        CREATE INDEX folders_by_root ON folders (root_id, id);
        CREATE INDEX folders_locked ON folders (root_id, parent_id)
            WHERE lock_expires IS NOT NULL;
        CREATE TABLE files (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            root_id INTEGER NOT NULL REFERENCES roots (id),
            parent_id INTEGER NOT NULL REFERENCES folders (id),
            name TEXT NOT NULL,
            folded TEXT NOT NULL,
            is_deleted INTEGER NOT NULL DEFAULT 0,
            created INTEGER NOT NULL,
            modified INTEGER NOT NULL,
            changed INTEGER NOT NULL,
            size INTEGER NOT NULL,
            revision_id INTEGER NOT NULL,
            owner_id INTEGER NOT NULL REFERENCES persons (id),
            lock_person INTEGER REFERENCES persons (id),
            lock_guid TEXT,
            lock_expires INTEGER
        ) STRICT;
        CREATE INDEX files_by_parent ON files (parent_id, id);
        CREATE UNIQUE INDEX files_live_name ON files (parent_id, name) WHERE is_deleted = 0;
        CREATE INDEX files_folded ON files (parent_id, folded);
        CREATE INDEX files_by_root ON files (root_id, id);
        CREATE INDEX files_changed ON files (root_id, changed, id);
        CREATE INDEX files_locked ON files (root_id, parent_id) WHERE lock_expires IS NOT NULL;
        CREATE TABLE revisions (
            id INTEGER PRIMARY KEY,
            file_id INTEGER NOT NULL REFERENCES files (id),
            size INTEGER NOT NULL,
            created INTEGER NOT NULL,
            person_id INTEGER NOT NULL REFERENCES persons (id)
        ) STRICT;
        CREATE INDEX revisions_by_file ON revisions (file_id, id);
        CREATE TABLE shares (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            root_id INTEGER NOT NULL REFERENCES roots (id),
            file_id INTEGER REFERENCES files (id),
            folder_id INTEGER REFERENCES folders (id),
            creator_id INTEGER NOT NULL REFERENCES persons (id),
            hash TEXT NOT NULL UNIQUE,
            expires INTEGER,
            login_required INTEGER NOT NULL,
            download_limit INTEGER,
            subscribers TEXT NOT NULL
        ) STRICT;
        """

    /// When folders were deleted, and the contents that are to be removed from the disk. Messages
    /// are not kept in the database any more. `files_of_shares` is for the foreign key.
    private static let retention = """
        ALTER TABLE folders ADD COLUMN deleted INTEGER;
        UPDATE folders SET deleted = unixepoch() WHERE is_deleted = 1;
        CREATE INDEX files_deleted ON files (root_id, changed) WHERE is_deleted = 1;
        CREATE INDEX folders_deleted ON folders (root_id, deleted) WHERE is_deleted = 1;
        CREATE INDEX files_of_shares ON shares (file_id) WHERE file_id IS NOT NULL;
        CREATE INDEX folders_of_shares ON shares (folder_id) WHERE folder_id IS NOT NULL;
        CREATE TABLE unneeded_contents (revision_id INTEGER PRIMARY KEY) STRICT;
        DROP TABLE outbox;
        """

    /// What only the WebDAV face knows. `item` is an item's number of that face (`ItemNumber`).
    private static let webDAV = """
        ALTER TABLE folders ADD COLUMN tree_version INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE folders ADD COLUMN modified INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE files ADD COLUMN checksum TEXT;
        CREATE TABLE instance (id TEXT NOT NULL) STRICT;
        CREATE TABLE dav_locks (
            token TEXT PRIMARY KEY,
            item INTEGER NOT NULL,
            person_id INTEGER NOT NULL REFERENCES persons (id),
            owner TEXT NOT NULL,
            is_shared INTEGER NOT NULL,
            is_deep INTEGER NOT NULL,
            seconds INTEGER NOT NULL,
            taken INTEGER NOT NULL,
            expires INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX dav_locks_by_item ON dav_locks (item);
        CREATE INDEX dav_locks_by_expiry ON dav_locks (expires);
        CREATE TABLE dav_properties (
            item INTEGER NOT NULL,
            namespace TEXT NOT NULL,
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (item, namespace, name)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE dav_uploads (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            person_id INTEGER NOT NULL REFERENCES persons (id),
            name TEXT NOT NULL,
            created INTEGER NOT NULL,
            last_used INTEGER NOT NULL,
            UNIQUE (person_id, name)
        ) STRICT;
        CREATE INDEX dav_uploads_by_use ON dav_uploads (last_used);
        CREATE TABLE dav_chunks (
            upload_id INTEGER NOT NULL REFERENCES dav_uploads (id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            name TEXT NOT NULL,
            content TEXT NOT NULL UNIQUE,
            size INTEGER NOT NULL,
            modified INTEGER NOT NULL,
            PRIMARY KEY (upload_id, number)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE app_passwords (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            person_id INTEGER NOT NULL REFERENCES persons (id),
            name TEXT NOT NULL,
            hash TEXT NOT NULL UNIQUE,
            created INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX app_passwords_by_person ON app_passwords (person_id, id);
        """
}
