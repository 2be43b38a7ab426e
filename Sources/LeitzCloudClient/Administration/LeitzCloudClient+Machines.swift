package import CloudStorage
package import LeitzCloudAPI

/// A path on a machine, with the sign-in that a network path may need.
package struct MachinePath: Sendable {
    package var path: String
    package var username: String?
    package var password: String?

    package init(_ path: String) { self.path = path }

    var fields: [(String, String)] {
        var form = FormBuilder()
        form.add("path", path)
        form.add("username", username)
        form.add("password", password)
        return form.fields
    }
}

// Source: API v2, "Gerät-Methode", "Dateiserver Aktivierungs-Methoden", "Backup-Methoden".
extension LeitzCloudClient {
    package func machine(_ id: Int64) async throws(CloudStorageError) -> WireMachine {
        try await fetch("machine", AdministrationRoute.machine(id))
    }

    package func machines(of organization: Int64, from offset: Int64 = 0) -> PagedList<WireMachine>
    {
        list("machine", AdministrationRoute.organization(organization, "machines"), from: offset)
    }

    /// Throws `temporarilyUnavailable` for machines that have no status, such as phones.
    package func status(ofMachine id: Int64) async throws(CloudStorageError) -> WireMachineStatus {
        let found: WireResult<WireMachineStatus> = try await fetch(
            "machine", AdministrationRoute.machine(id, "status"))
        return found.results
    }

    package func enableServer(onMachine id: Int64) async throws(CloudStorageError) {
        try await change("machine", AdministrationRoute.machine(id, "server/enable"))
    }

    package func disableServer(onMachine id: Int64) async throws(CloudStorageError) {
        try await change("machine", AdministrationRoute.machine(id, "server/disable"))
    }

    /// The folders in a folder of a file server.
    /// - Parameter path: nil for its drives.
    package func folders(
        onMachine id: Int64, below path: MachinePath? = nil
    ) async throws(CloudStorageError) -> [String] {
        let found: WireResult<[String]> = try await changing(
            "machine", AdministrationRoute.machine(id, "ls"), path?.fields ?? [])
        return found.results
    }

    // MARK: - Mappings

    package func mappings(ofMachine id: Int64) async throws(CloudStorageError) -> [WireMapping] {
        let found: WireResult<[WireMapping]> = try await fetch(
            "machine", AdministrationRoute.machine(id, "mappings"))
        return found.results
    }

    package func mapping(
        _ mapping: Int64, ofMachine id: Int64
    ) async throws(CloudStorageError) -> WireMapping {
        try await fetch("machine", AdministrationRoute.machine(id, "mapping/\(mapping)"))
    }

    package func createMapping(
        ofMachine id: Int64, root: Int64, at path: MachinePath
    ) async throws(CloudStorageError) -> WireMapping {
        try await changing(
            "machine", AdministrationRoute.machine(id, "mappings/create"),
            [("root_id", String(root))] + path.fields)
    }

    package func deleteMapping(
        _ mapping: Int64, ofMachine id: Int64
    ) async throws(CloudStorageError) {
        try await change("machine", AdministrationRoute.machine(id, "mapping/\(mapping)/delete"))
    }

    // MARK: - Backups

    package func backups(ofMachine id: Int64) async throws(CloudStorageError) -> [WireBackup] {
        let found: WireResult<[WireBackup]> = try await fetch(
            "machine", AdministrationRoute.machine(id, "backups"))
        return found.results
    }

    /// - Parameter root: the backup's number, which is that of its root.
    package func backup(
        _ root: Int64, ofMachine id: Int64
    ) async throws(CloudStorageError) -> WireBackup {
        try await fetch("machine", AdministrationRoute.machine(id, "backup/\(root)"))
    }

    package func createBackup(
        ofMachine id: Int64, from path: MachinePath
    ) async throws(CloudStorageError) -> WireBackup {
        try await changing(
            "machine", AdministrationRoute.machine(id, "backups/create"), path.fields)
    }

    /// - Parameter target: the machine to restore on; nil for the one that was backed up.
    package func restoreBackup(
        _ root: Int64, ofMachine id: Int64, to path: String, onMachine target: Int64? = nil
    ) async throws(CloudStorageError) -> WireBackup {
        var form = FormBuilder()
        form.add("path", path)
        form.add("to_machine_id", target)
        return try await changing(
            "machine", AdministrationRoute.machine(id, "backup/\(root)/restore"), form.fields)
    }

    package func deleteBackup(
        _ root: Int64, ofMachine id: Int64
    ) async throws(CloudStorageError) {
        try await change("machine", AdministrationRoute.machine(id, "backup/\(root)/delete"))
    }
}
