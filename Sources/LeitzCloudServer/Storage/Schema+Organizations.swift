import GRDB

/// The tables behind the administrative chapters of API v2, and of OCS provisioning.
extension Schema {
    /// The organization that every other one is below; persons made without another one are its.
    static let firstOrganization: Int64 = 1

    /// The migration to version "3".
    static func addOrganizations(_ db: Database) throws {
        try db.execute(sql: organizations)
        try db.execute(
            sql: """
                INSERT INTO organizations (id, name, slug, license_key, created)
                VALUES (?, 'Ordner', 'ordner', ?, unixepoch())
                """, arguments: [firstOrganization, LicenseKey.make()])
        try db.execute(sql: accountsOfOrganizations)
        try db.execute(sql: machines)
        try db.execute(sql: groups)
        try db.execute(sql: teamShares)
        try db.execute(sql: activity)
        for kind in ActivityKind.allCases {
            try db.execute(
                sql: "INSERT INTO activity_types VALUES (?, ?, ?, ?, ?)",
                arguments: [
                    kind.rawValue, kind.text, kind.isOfMachine, kind.isOfUser, false,
                ])
        }
        try separateShareSubscribers(db)
    }

    /// `space_used` is that of the organization's own roots; `is_usable` says that neither the
    /// organization nor one above it is disabled or deleted.
    private static let organizations = """
        CREATE TABLE organizations (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            parent_id INTEGER REFERENCES organizations (id),
            name TEXT NOT NULL,
            slug TEXT NOT NULL COLLATE NOCASE,
            license_key TEXT NOT NULL UNIQUE COLLATE NOCASE,
            description TEXT NOT NULL DEFAULT '',
            email TEXT NOT NULL DEFAULT '',
            hostname TEXT NOT NULL DEFAULT '',
            created INTEGER NOT NULL,
            is_active INTEGER NOT NULL DEFAULT 1,
            is_usable INTEGER NOT NULL DEFAULT 1,
            is_deleted INTEGER NOT NULL DEFAULT 0,
            space_used INTEGER NOT NULL DEFAULT 0
        ) STRICT;
        CREATE INDEX organizations_by_parent ON organizations (parent_id, id)
            WHERE is_deleted = 0;
        CREATE UNIQUE INDEX organizations_live_slug ON organizations (slug) WHERE is_deleted = 0;
        CREATE TABLE organization_settings (
            organization_id INTEGER NOT NULL REFERENCES organizations (id),
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (organization_id, name)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE policies (
            organization_id INTEGER NOT NULL REFERENCES organizations (id),
            name TEXT NOT NULL,
            value TEXT NOT NULL,
            PRIMARY KEY (organization_id, name)
        ) STRICT, WITHOUT ROWID;
        """

    /// A deleted person keeps the row, since files and revisions name it, and gives the address
    /// and the user name free. `active_persons` are those who may sign in.
    private static let accountsOfOrganizations = """
        ALTER TABLE persons ADD COLUMN organization_id INTEGER NOT NULL DEFAULT 1
            REFERENCES organizations (id);
        ALTER TABLE persons ADD COLUMN username TEXT COLLATE NOCASE;
        ALTER TABLE persons ADD COLUMN first_name TEXT;
        ALTER TABLE persons ADD COLUMN last_name TEXT;
        ALTER TABLE persons ADD COLUMN mobile_phone TEXT;
        ALTER TABLE persons ADD COLUMN language TEXT;
        ALTER TABLE persons ADD COLUMN created INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE persons ADD COLUMN last_login INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE persons ADD COLUMN password_expires INTEGER;
        ALTER TABLE persons ADD COLUMN quota_marks TEXT NOT NULL DEFAULT '';
        ALTER TABLE persons ADD COLUMN is_site_admin INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE persons ADD COLUMN is_system_admin INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE persons ADD COLUMN makes_shares INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE persons ADD COLUMN is_active INTEGER NOT NULL DEFAULT 1;
        ALTER TABLE persons ADD COLUMN is_deleted INTEGER NOT NULL DEFAULT 0;
        CREATE UNIQUE INDEX persons_by_username ON persons (username) WHERE username IS NOT NULL;
        CREATE INDEX persons_by_organization ON persons (organization_id, id)
            WHERE is_deleted = 0;
        CREATE VIEW active_persons AS
            SELECT p.* FROM persons p JOIN organizations o ON o.id = p.organization_id
            WHERE p.is_active AND NOT p.is_deleted AND o.is_usable;
        CREATE TABLE guests (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            organization_id INTEGER NOT NULL REFERENCES organizations (id),
            creator_id INTEGER NOT NULL REFERENCES persons (id),
            email TEXT NOT NULL UNIQUE COLLATE NOCASE,
            password TEXT NOT NULL,
            password_expires INTEGER,
            first_name TEXT NOT NULL,
            last_name TEXT NOT NULL,
            is_active INTEGER NOT NULL DEFAULT 1,
            created INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX guests_by_organization ON guests (organization_id, id);
        CREATE TABLE auth_sources (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            organization_id INTEGER NOT NULL REFERENCES organizations (id),
            host TEXT NOT NULL,
            domain TEXT NOT NULL,
            login TEXT NOT NULL,
            port INTEGER,
            protocol INTEGER,
            is_ssl INTEGER NOT NULL DEFAULT 0,
            machine_id INTEGER
        ) STRICT;
        CREATE INDEX auth_sources_by_organization ON auth_sources (organization_id, id);
        CREATE TABLE outbox (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            recipient TEXT NOT NULL,
            subject TEXT NOT NULL,
            body TEXT NOT NULL,
            created INTEGER NOT NULL
        ) STRICT;
        """

    /// `machine_folders` is what the agents of the machines have reported of their disks; paths
    /// are kept with `/`, without one at the end.
    private static let machines = """
        CREATE TABLE machines_3 (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            guid TEXT NOT NULL UNIQUE,
            person_id INTEGER NOT NULL REFERENCES persons (id),
            dns_name TEXT,
            nickname TEXT,
            os_type TEXT,
            os_version TEXT,
            agent_version TEXT,
            machine_type TEXT NOT NULL DEFAULT 'agent',
            is_server INTEGER NOT NULL DEFAULT 0,
            created INTEGER NOT NULL,
            last_seen INTEGER NOT NULL,
            last_disconnect INTEGER
        ) STRICT;
        INSERT INTO machines_3 (guid, person_id, dns_name, os_type, os_version, machine_type,
            created, last_seen)
            SELECT guid, person_id, dns_name, os_type, os_version,
                iif(os_type IN ('android', 'ios', 'winphone'), 'mobile', 'agent'),
                last_seen, last_seen
            FROM machines ORDER BY last_seen, guid;
        DROP TABLE machines;
        ALTER TABLE machines_3 RENAME TO machines;
        CREATE INDEX machines_by_person ON machines (person_id, last_seen);
        CREATE TABLE machine_folders (
            machine_id INTEGER NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
            path TEXT NOT NULL,
            PRIMARY KEY (machine_id, path)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE machine_mappings (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            machine_id INTEGER NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
            root_id INTEGER NOT NULL REFERENCES roots (id),
            path TEXT NOT NULL,
            UNIQUE (machine_id, root_id)
        ) STRICT;
        CREATE TABLE backups (
            root_id INTEGER PRIMARY KEY REFERENCES roots (id),
            machine_id INTEGER NOT NULL REFERENCES machines (id) ON DELETE CASCADE,
            path TEXT NOT NULL,
            restored INTEGER
        ) STRICT;
        CREATE INDEX backups_by_machine ON backups (machine_id, root_id);
        """

    private static let groups = """
        CREATE TABLE groups (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            organization_id INTEGER NOT NULL REFERENCES organizations (id),
            name TEXT NOT NULL,
            is_active INTEGER NOT NULL DEFAULT 1,
            created INTEGER NOT NULL,
            UNIQUE (organization_id, name)
        ) STRICT;
        CREATE TABLE group_members (
            group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
            person_id INTEGER NOT NULL REFERENCES persons (id),
            PRIMARY KEY (group_id, person_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX group_members_by_person ON group_members (person_id, group_id);
        CREATE TABLE member_groups (
            group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
            member_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
            PRIMARY KEY (group_id, member_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX member_groups_by_member ON member_groups (member_id, group_id);
        CREATE TABLE group_admins (
            group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
            person_id INTEGER NOT NULL REFERENCES persons (id),
            PRIMARY KEY (group_id, person_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX group_admins_by_person ON group_admins (person_id, group_id);
        """

    /// What `subscriptions` is made of: `direct_grants` (own roots and what the operator sets) and
    /// the subscribers of shares, each with a role. `kind` is `web`, `webdav` or `future`, for
    /// groups `machines` instead of the last, or the id of a machine.
    private static let teamShares = """
        ALTER TABLE roots ADD COLUMN organization_id INTEGER NOT NULL DEFAULT 1
            REFERENCES organizations (id);
        ALTER TABLE roots ADD COLUMN description TEXT NOT NULL DEFAULT '';
        ALTER TABLE roots ADD COLUMN auto_lock INTEGER NOT NULL DEFAULT 0;
        ALTER TABLE roots ADD COLUMN notifies INTEGER NOT NULL DEFAULT 1;
        ALTER TABLE roots ADD COLUMN created INTEGER NOT NULL DEFAULT 0;
        CREATE INDEX roots_by_organization ON roots (organization_id, id) WHERE is_deleted = 0;
        UPDATE organizations SET space_used =
            (SELECT coalesce(sum(space_used), 0) FROM roots WHERE is_deleted = 0);
        CREATE TABLE roles (
            name TEXT PRIMARY KEY,
            permissions TEXT NOT NULL
        ) STRICT, WITHOUT ROWID;
        INSERT INTO roles (name, permissions) VALUES
            ('OWNER', 'FILE_VIEW,FILE_READ,FILE_WRITE'),
            ('COLLABORATOR', 'FILE_VIEW,FILE_READ,FILE_WRITE'),
            ('VIEWER', 'FILE_VIEW,FILE_READ');
        CREATE TABLE direct_grants (
            person_id INTEGER NOT NULL REFERENCES persons (id),
            root_id INTEGER NOT NULL REFERENCES roots (id),
            permissions TEXT NOT NULL,
            PRIMARY KEY (root_id, person_id)
        ) STRICT, WITHOUT ROWID;
        INSERT INTO direct_grants (person_id, root_id, permissions)
            SELECT person_id, root_id, permissions FROM subscriptions;
        CREATE INDEX subscriptions_by_root ON subscriptions (root_id, person_id);
        CREATE TABLE person_subscribers (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            root_id INTEGER NOT NULL REFERENCES roots (id),
            person_id INTEGER NOT NULL REFERENCES persons (id),
            kind TEXT NOT NULL,
            role TEXT NOT NULL REFERENCES roles (name),
            UNIQUE (root_id, person_id, kind)
        ) STRICT;
        CREATE INDEX person_subscribers_by_person ON person_subscribers (person_id, root_id);
        CREATE TABLE group_subscribers (
            root_id INTEGER NOT NULL REFERENCES roots (id),
            group_id INTEGER NOT NULL REFERENCES groups (id) ON DELETE CASCADE,
            kind TEXT NOT NULL,
            role TEXT NOT NULL REFERENCES roles (name),
            PRIMARY KEY (root_id, group_id, kind)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX group_subscribers_by_group ON group_subscribers (group_id, root_id);
        CREATE TABLE external_subscribers (
            root_id INTEGER NOT NULL REFERENCES roots (id),
            person_id INTEGER NOT NULL REFERENCES persons (id),
            state TEXT NOT NULL CHECK (state IN ('invited', 'accepted', 'declined')),
            PRIMARY KEY (root_id, person_id)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE share_subscribers (
            share_id INTEGER NOT NULL REFERENCES shares (id),
            email TEXT NOT NULL COLLATE NOCASE,
            PRIMARY KEY (email, share_id)
        ) STRICT, WITHOUT ROWID;
        """

    private static let activity = """
        CREATE TABLE activity_types (
            id INTEGER PRIMARY KEY,
            activity TEXT NOT NULL UNIQUE,
            machine_scope INTEGER NOT NULL,
            user_scope INTEGER NOT NULL,
            system_scope INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE activities (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            organization_id INTEGER NOT NULL,
            activity_type_id INTEGER NOT NULL REFERENCES activity_types (id),
            actor_type TEXT NOT NULL,
            actor_text TEXT NOT NULL,
            actor_company_id INTEGER,
            actor_machine_id INTEGER,
            actor_person_id INTEGER,
            actor_guest_id INTEGER,
            acted_on_type TEXT NOT NULL,
            acted_on_text TEXT NOT NULL,
            acted_on_company_id INTEGER,
            acted_on_machine_id INTEGER,
            acted_on_person_id INTEGER,
            acted_on_guest_id INTEGER,
            acted_on_root_id INTEGER,
            acted_on_group_id INTEGER,
            action_text TEXT,
            data_text TEXT,
            created INTEGER NOT NULL,
            processed INTEGER NOT NULL DEFAULT 1
        ) STRICT;
        CREATE INDEX activities_by_organization ON activities (organization_id, id);
        CREATE INDEX activities_by_actor ON activities (actor_person_id, id)
            WHERE actor_person_id IS NOT NULL;
        CREATE INDEX activities_by_person ON activities (acted_on_person_id, id)
            WHERE acted_on_person_id IS NOT NULL;
        """

    /// The addresses of file shares, one a row.
    private static func separateShareSubscribers(_ db: Database) throws {
        let shares = try Row.fetchAll(
            db, sql: "SELECT id, subscribers FROM shares WHERE subscribers <> ''"
        ).map { (id: $0[0] as Int64, subscribers: $0[1] as String) }
        for share in shares {
            try Tree.noteSubscribers(db, share: share.id, addresses: share.subscribers)
        }
    }
}

/// The second way in which an organization is named.
enum LicenseKey {
    /// 80 random bits as five groups of four hex digits; never an integer.
    static func make() -> String {
        let digits = Array(TokenHash.random(bytes: 10))
        let groups = stride(from: 0, to: digits.count, by: 4).map { String(digits[$0..<$0 + 4]) }
        return "L-" + groups.joined(separator: "-")
    }
}
