import GRDB
import LeitzCloudAPI

/// Machines and the file servers on them (API v2, "Gerät").
extension Administrator {
    /// A machine whose owner is the caller or somebody the caller administers.
    struct MachineRow {
        var id: Int64
        var owner: Int64
        var organization: Int64
        var isServer: Bool
        var isAgent: Bool
        var lastSeen: Int64
        var name: String
    }

    func machineRow(_ id: Int64) throws -> MachineRow {
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT m.person_id, p.organization_id, m.is_server, m.machine_type = 'agent',
                    m.last_seen, coalesce(m.nickname, m.dns_name, m.guid)
                FROM machines m JOIN persons p ON p.id = m.person_id WHERE m.id = ?
                """, arguments: [id])
        guard let row else { throw APIError.notFound }
        let machine = MachineRow(
            id: id, owner: row[0], organization: row[1], isServer: row[2], isAgent: row[3],
            lastSeen: row[4], name: row[5])
        if machine.owner != person, try !administers(machine.organization) {
            throw APIError.forbidden
        }
        return machine
    }

    private static let columns = """
        m.id, m.guid, m.person_id, m.dns_name, m.nickname, m.os_type, m.os_version,
        m.agent_version, m.machine_type, m.is_server, m.created, m.last_seen, m.last_disconnect
        """

    private func wire(_ row: Row) -> WireMachine {
        var machine = WireMachine(id: row[0])
        machine.guid = row[1]
        machine.personID = row[2]
        machine.name = row[3]
        machine.nickname = row[4]
        machine.system = row[5]
        machine.systemVersion = row[6]
        machine.agentVersion = row[7]
        machine.kind = row[8]
        machine.isServer = row[9]
        machine.created = WireTime(row[10])
        machine.lastLogin = WireTime(row[11])
        machine.lastDisconnect = (row[12] as Int64?).map { WireTime($0) }
        machine.locked = false
        machine.throttled = false
        machine.manualCollisions = true
        for name in [
            "bandwidth_throttle", "throttle_exception_days", "throttle_exception_dow",
            "throttle_exception_start", "throttle_exception_end",
            "throttle_exception_throttle", "health_report_period_minutes",
        ] { machine.fields[name] = .null }
        return machine
    }

    func machine(_ id: Int64) throws -> WireMachine {
        _ = try machineRow(id)
        let row = try Row.fetchOne(
            db, sql: "SELECT \(Self.columns) FROM machines m WHERE m.id = ?", arguments: [id])
        guard let row else { throw APIError.notFound }
        return wire(row)
    }

    func machines(of organization: Int64, _ range: PageRange) throws -> WirePage<WireMachine> {
        try require(organization)
        return try page(
            Self.columns,
            """
            FROM machines m JOIN persons p ON p.id = m.person_id
            WHERE p.organization_id = ? AND p.is_deleted = 0
            """, [organization], range, wire)
    }

    /// What the machine keeps in step. Phones and tablets have no status: 503, as real servers
    /// were seen to answer (FACTS 1.3).
    func status(ofMachine id: Int64) throws -> WireMachineStatus {
        let machine = try machineRow(id)
        guard machine.isAgent else {
            throw APIError(503, .temporarilyUnavailable, "The machine has no status.")
        }
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT s.id, s.root_id, r.name FROM person_subscribers s
                    JOIN roots r ON r.id = s.root_id
                    WHERE s.person_id = ?1 AND s.kind = CAST(?2 AS TEXT) AND r.is_deleted = 0
                UNION ALL SELECT m.id, m.root_id, m.path FROM machine_mappings m
                    WHERE m.machine_id = ?2
                UNION ALL SELECT b.root_id, b.root_id, b.path FROM backups b
                    WHERE b.machine_id = ?2
                """, arguments: [machine.owner, id])
        let excluded = Set(
            try tree.baseBehaviour.bound(db, person: machine.owner).excludedExtensions)
        var isSynced = true
        var subscriptions: [WireMachineSubscription] = []
        for row in rows {
            let synced = try isUpToDate(root: row[1], since: machine.lastSeen)
            isSynced = isSynced && synced
            var subscription = WireMachineSubscription(fields: [:])
            subscription.subscriptionID = row[0]
            subscription.folder = row[2]
            subscription.synced = synced
            subscription.excludedFiles = try excludedFiles(in: row[1], excluded)
            subscriptions.append(subscription)
        }
        var status = WireMachineStatus(fields: [:])
        status.subscriptions = subscriptions
        status.synced = isSynced
        status.transfers = []
        return status
    }

    /// Whether the machine was there after the last change of a root.
    private func isUpToDate(root: Int64, since seen: Int64) throws -> Bool {
        try Bool.fetchOne(
            db.cachedStatement(sql: "SELECT modified <= ? FROM folders WHERE id = ?"),
            arguments: [seen, -root]) ?? true
    }

    /// How many files of a root the policy would not let the machine bring.
    private func excludedFiles(in root: Int64, _ extensions: Set<String>) throws -> Int64 {
        guard !extensions.isEmpty else { return 0 }
        var count: Int64 = 0
        let names = try String.fetchCursor(
            db.cachedStatement(
                sql: "SELECT folded FROM files WHERE root_id = ? AND is_deleted = 0"),
            arguments: [root])
        while let name = try names.next() {
            guard let dot = name.lastIndex(of: ".") else { continue }
            if extensions.contains(String(name[dot...])) { count += 1 }
        }
        return count
    }

    /// - Parameter isServer: whether a file server runs on the machine from now on.
    func setServer(_ isServer: Bool, machine id: Int64) throws {
        let machine = try machineRow(id)
        guard try administers(machine.organization) else { throw APIError.forbidden }
        if isServer {
            guard try policy(machine.organization).flag("file_server_enabled"), machine.isAgent
            else { throw APIError.forbidden }
        }
        try db.execute(
            sql: "UPDATE machines SET is_server = ? WHERE id = ?", arguments: [isServer, id])
        try note(
            isServer ? .serverEnabled : .serverDisabled, .machine(id, name: machine.name),
            in: machine.organization)
    }

    /// A machine with a file server: 503 for one without, since nothing there can answer.
    func fileServer(_ id: Int64) throws -> MachineRow {
        let machine = try machineRow(id)
        guard machine.isServer else {
            throw APIError(
                503, .temporarilyUnavailable, "The machine has no file server enabled.")
        }
        return machine
    }

    /// The folders in a folder of the machine, or its drives; for the organization's administrators
    /// where its policy lets them look.
    func list(machine id: Int64, _ form: FormFields) throws -> [String] {
        let machine = try fileServer(id)
        guard try administers(machine.organization) else { throw APIError.forbidden }
        if !isOverAll, try !policy(machine.organization).flag("admin_browse_remote") {
            throw APIError.forbidden
        }
        return try MachineFolders.list(
            db, machine: id, below: form["path"].flatMap { $0.isEmpty ? nil : $0 })
    }

    // MARK: - Mappings

    func mappings(of id: Int64) throws -> [WireMapping] {
        _ = try fileServer(id)
        return try mappingRows("m.machine_id = ?", [id])
    }

    func mapping(_ mapping: Int64, of id: Int64) throws -> WireMapping {
        _ = try fileServer(id)
        let found = try mappingRows("m.machine_id = ? AND m.id = ?", [id, mapping])
        guard let wire = found.first else { throw APIError.notFound }
        return wire
    }

    private func mappingRows(_ condition: String, _ arguments: StatementArguments) throws
        -> [WireMapping]
    {
        try Row.fetchAll(
            db,
            sql: """
                SELECT m.id, m.machine_id, m.root_id, m.path, r.name, r.kind = 'share',
                    (SELECT p.id FROM persons p WHERE p.own_root_id = r.id)
                FROM machine_mappings m JOIN roots r ON r.id = m.root_id
                WHERE \(condition) AND r.is_deleted = 0 ORDER BY m.id
                """, arguments: arguments
        ).map { row in
            var mapping = WireMapping(id: row[0])
            mapping.machineID = row[1]
            mapping.rootID = row[2]
            mapping.path = row[3]
            mapping.name = row[4]
            mapping.isShare = row[5]
            mapping.personID = row[6]
            return mapping
        }
    }

    /// Maps a root of the machine's organization to a folder, which is made there.
    func createMapping(of id: Int64, _ form: FormFields) throws -> WireMapping {
        guard let root = try form.integer("root_id") else { throw APIError.missing("root_id") }
        let path = try form.filled("path")
        let machine = try fileServer(id)
        guard try administers(machine.organization) else { throw APIError.forbidden }
        let object = try self.root(root, of: machine.organization)
        let isMapped = try Bool.fetchOne(
            db,
            sql: "SELECT count(*) FROM machine_mappings WHERE machine_id = ? AND root_id = ?",
            arguments: [id, root])
        if isMapped == true { throw APIError(409, .nameConflict, "The root is mapped already.") }
        try MachineFolders.add(db, machine: id, paths: [path])
        try db.execute(
            sql: "INSERT INTO machine_mappings (machine_id, root_id, path) VALUES (?, ?, ?)",
            arguments: [id, root, path])
        let made = db.lastInsertedRowID
        try note(
            .mappingAdded, .machine(id, name: machine.name), in: machine.organization,
            data: "\(object.name) -> \(path)")
        return try mapping(made, of: id)
    }

    func deleteMapping(_ mapping: Int64, of id: Int64) throws {
        let machine = try fileServer(id)
        guard try administers(machine.organization) else { throw APIError.forbidden }
        let known = try self.mapping(mapping, of: id)
        try db.execute(sql: "DELETE FROM machine_mappings WHERE id = ?", arguments: [mapping])
        try note(
            .mappingRemoved, .machine(id, name: machine.name), in: machine.organization,
            data: known.path)
    }
}
