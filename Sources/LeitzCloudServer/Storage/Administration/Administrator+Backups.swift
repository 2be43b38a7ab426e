import GRDB
import LeitzCloudAPI

/// Backups of folders of a file server: each is a root of kind `backup`, and known by its number.
extension Administrator {
    private struct BackupRow {
        var root: Int64
        var path: String

        func wire(machine: Int64) -> WireBackup {
            var backup = WireBackup(id: root)
            backup.machineID = machine
            backup.path = path
            return backup
        }
    }

    private func backupRows(of machine: Int64, root: Int64?) throws -> [BackupRow] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT b.root_id, b.path FROM backups b JOIN roots r ON r.id = b.root_id
                WHERE b.machine_id = ?1 AND (?2 IS NULL OR b.root_id = ?2) AND r.is_deleted = 0
                ORDER BY b.root_id
                """, arguments: [machine, root]
        ).map { BackupRow(root: $0[0], path: $0[1]) }
    }

    func backups(of id: Int64) throws -> [WireBackup] {
        _ = try machineRow(id)
        return try backupRows(of: id, root: nil).map { $0.wire(machine: id) }
    }

    func backup(_ root: Int64, of id: Int64) throws -> WireBackup {
        _ = try machineRow(id)
        guard let row = try backupRows(of: id, root: root).first else { throw APIError.notFound }
        return row.wire(machine: id)
    }

    /// The machine's owner sees the new root, so that the machine's agent can fill it.
    func createBackup(of id: Int64, _ form: FormFields) throws -> WireBackup {
        let path = try form.filled("path")
        let machine = try fileServer(id)
        try requireBackupRights(machine)
        let folder = try MachineFolders.normalized(path)
        let name = folder.split(separator: "/").last.map(String.init) ?? machine.name
        let root = try Accounts.makeRoot(
            db, name: name, kind: "backup", organization: machine.organization)
        try db.execute(
            sql: "INSERT INTO backups (root_id, machine_id, path) VALUES (?, ?, ?)",
            arguments: [root, id, path])
        try MachineFolders.add(db, machine: id, paths: [path])
        try Accounts.subscribe(
            db, person: machine.owner, root: root, permissions: Accounts.permissionWords)
        try note(
            .backupAdded, .machine(id, name: machine.name), in: machine.organization, data: path)
        return try backup(root, of: id)
    }

    private func requireBackupRights(_ machine: MachineRow) throws {
        let policy = try policy(machine.organization)
        guard policy.flag("backups_enabled") else { throw APIError.forbidden }
        if try administers(machine.organization) { return }
        guard policy.flag("user_create_backups") else { throw APIError.forbidden }
    }

    /// Brings a backup's folders back, to a path of this machine or of another one of the same
    /// organization; from then on the backup is of that path.
    func restoreBackup(_ root: Int64, of id: Int64, _ form: FormFields) throws -> WireBackup {
        let path = try form.filled("path")
        let machine = try fileServer(id)
        try requireBackupRights(machine)
        _ = try backup(root, of: id)
        let target = try form.integer("to_machine_id") ?? id
        let goal = target == id ? machine : try fileServer(target)
        guard goal.organization == machine.organization else {
            throw APIError.invalid("to_machine_id")
        }
        let top = try MachineFolders.normalized(path)
        try MachineFolders.add(
            db, machine: target, paths: [top] + folderPaths(of: root).map { top + $0 })
        try db.execute(
            sql: "UPDATE backups SET machine_id = ?, path = ?, restored = ? WHERE root_id = ?",
            arguments: [target, path, now, root])
        try note(
            .backupRestored, .machine(target, name: goal.name), in: machine.organization,
            data: path)
        return try backup(root, of: target)
    }

    /// The paths of the folders of a root, each with its leading slash.
    private func folderPaths(of root: Int64) throws -> [String] {
        try String.fetchAll(
            db,
            sql: """
                WITH RECURSIVE down (id, path) AS (
                    SELECT id, '' FROM folders WHERE id = ?
                    UNION ALL SELECT f.id, d.path || '/' || f.name
                    FROM folders f JOIN down d ON f.parent_id = d.id WHERE f.is_deleted = 0)
                SELECT path FROM down WHERE path <> ''
                """, arguments: [-root])
    }

    func deleteBackup(_ root: Int64, of id: Int64) throws {
        let machine = try machineRow(id)
        try requireBackupRights(machine)
        let known = try backup(root, of: id)
        try TeamShares.delete(db, root: root)
        try note(
            .backupRemoved, .machine(id, name: machine.name), in: machine.organization,
            data: known.path)
    }
}
