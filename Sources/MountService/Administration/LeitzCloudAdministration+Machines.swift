import CloudStorage
import LeitzCloudAPI
import LeitzCloudClient

extension LeitzCloudAdministration: MachineAdministration {
    private func record(_ machine: WireMachine) -> AdministrationRecord {
        var record = AdministrationRecord(
            [
                ("ID", String(machine.id)), ("NAME", machine.nickname ?? machine.name ?? ""),
                ("SYSTEM", machine.system ?? ""), ("TYPE", machine.kind ?? ""),
                ("LAST SEEN", machine.lastLogin?.text ?? ""),
                ("NOTES", machine.isServer == true ? "file server" : ""),
            ], object: machine)
        record.details = [
            .init(title: "GUID", text: machine.guid ?? ""),
            .init(title: "USER", text: machine.personID.map { String($0) } ?? ""),
            .init(title: "VERSION", text: machine.systemVersion ?? ""),
            .init(title: "CREATED", text: machine.created?.text ?? ""),
        ]
        return record
    }

    func machines(from offset: Int64) async throws(ServiceFailure) -> RecordPage {
        try await page(client.machines(of: organization, from: offset), offset, record)
    }

    func machine(_ id: Int64) async throws(ServiceFailure) -> AdministrationRecord {
        record(
            try await asking { () async throws(CloudStorageError) in
                try await client.machine(id)
            })
    }

    func status(ofMachine id: Int64) async throws(ServiceFailure) -> [AdministrationRecord] {
        let status = try await asking { () async throws(CloudStorageError) in
            try await client.status(ofMachine: id)
        }
        return (status.subscriptions ?? []).map { subscription in
            AdministrationRecord(
                [
                    ("ID", subscription.subscriptionID.map { String($0) } ?? ""),
                    ("FOLDER", subscription.folder ?? ""),
                    ("SYNCED", subscription.synced == true ? "yes" : "no"),
                    ("LEFT OUT", subscription.excludedFiles.map { String($0) } ?? ""),
                ], object: subscription)
        }
    }

    func setServer(_ isServer: Bool, onMachine id: Int64) async throws(ServiceFailure) {
        try await asking { () async throws(CloudStorageError) in
            if isServer {
                try await client.enableServer(onMachine: id)
            } else {
                try await client.disableServer(onMachine: id)
            }
        }
    }

    func folders(
        onMachine id: Int64, below path: String?
    ) async throws(ServiceFailure) -> [String] {
        try await asking { () async throws(CloudStorageError) in
            try await client.folders(onMachine: id, below: path.map { MachinePath($0) })
        }
    }

    private func record(_ mapping: WireMapping) -> AdministrationRecord {
        AdministrationRecord(
            [
                ("ID", String(mapping.id)), ("ROOT", mapping.rootID.map { String($0) } ?? ""),
                ("NAME", mapping.name ?? ""), ("PATH", mapping.path ?? ""),
            ], object: mapping)
    }

    func mappings(ofMachine id: Int64) async throws(ServiceFailure) -> [AdministrationRecord] {
        try await asking { () async throws(CloudStorageError) in
            try await client.mappings(ofMachine: id)
        }.map(record)
    }

    func mapping(
        _ mapping: Int64, ofMachine id: Int64
    ) async throws(ServiceFailure) -> AdministrationRecord {
        record(
            try await asking { () async throws(CloudStorageError) in
                try await client.mapping(mapping, ofMachine: id)
            })
    }

    func createMapping(
        ofMachine id: Int64, root: Int64, path: String
    ) async throws(ServiceFailure) -> AdministrationRecord {
        record(
            try await asking { () async throws(CloudStorageError) in
                try await client.createMapping(ofMachine: id, root: root, at: MachinePath(path))
            })
    }

    func deleteMapping(_ mapping: Int64, ofMachine id: Int64) async throws(ServiceFailure) {
        try await asking { () async throws(CloudStorageError) in
            try await client.deleteMapping(mapping, ofMachine: id)
        }
    }

    private func record(_ backup: WireBackup) -> AdministrationRecord {
        AdministrationRecord(
            [
                ("ID", String(backup.id)),
                ("MACHINE", backup.machineID.map { String($0) } ?? ""),
                ("PATH", backup.path ?? ""),
            ], object: backup)
    }

    func backups(ofMachine id: Int64) async throws(ServiceFailure) -> [AdministrationRecord] {
        try await asking { () async throws(CloudStorageError) in
            try await client.backups(ofMachine: id)
        }.map(record)
    }

    func backup(
        _ backup: Int64, ofMachine id: Int64
    ) async throws(ServiceFailure) -> AdministrationRecord {
        record(
            try await asking { () async throws(CloudStorageError) in
                try await client.backup(backup, ofMachine: id)
            })
    }

    func createBackup(
        ofMachine id: Int64, path: String
    ) async throws(ServiceFailure) -> AdministrationRecord {
        record(
            try await asking { () async throws(CloudStorageError) in
                try await client.createBackup(ofMachine: id, from: MachinePath(path))
            })
    }

    func restoreBackup(
        _ backup: Int64, ofMachine id: Int64, to path: String, onMachine target: Int64?
    ) async throws(ServiceFailure) -> AdministrationRecord {
        record(
            try await asking { () async throws(CloudStorageError) in
                try await client.restoreBackup(
                    backup, ofMachine: id, to: path, onMachine: target)
            })
    }

    func deleteBackup(_ backup: Int64, ofMachine id: Int64) async throws(ServiceFailure) {
        try await asking { () async throws(CloudStorageError) in
            try await client.deleteBackup(backup, ofMachine: id)
        }
    }
}

extension LeitzCloudAdministration: ActivityAdministration {
    private func record(
        _ activity: WireActivity, _ kinds: [Int64: String]
    ) -> AdministrationRecord {
        let kind = activity.kindID.map { kinds[$0] ?? String($0) } ?? ""
        return AdministrationRecord(
            [
                ("ID", String(activity.id)), ("WHEN", activity.created?.text ?? ""),
                ("WHO", activity.actor ?? ""), ("WHAT", kind),
                ("ON", activity.actedOn ?? ""),
                (
                    "MORE",
                    [activity.action, activity.data].compactMap { $0 }.joined(separator: " ")
                ),
            ], object: activity)
    }

    private func kinds() async throws(ServiceFailure) -> [Int64: String] {
        let types = try await asking { () async throws(CloudStorageError) in
            try await client.activityTypes()
        }
        return Dictionary(types.map { ($0.id, $0.activity ?? "") }) { first, _ in first }
    }

    func activity(
        of user: String?, from offset: Int64
    ) async throws(ServiceFailure) -> RecordPage {
        let kinds = try await kinds()
        let list: PagedList<WireActivity>
        if let user {
            list = client.activity(ofPerson: try await person(user).id, from: offset)
        } else {
            list = client.activity(ofOrganization: organization, from: offset)
        }
        return try await page(list, offset) { record($0, kinds) }
    }

    func activity(_ id: Int64) async throws(ServiceFailure) -> AdministrationRecord {
        let activity = try await asking { () async throws(CloudStorageError) in
            try await client.activity(id)
        }
        return record(activity, try await kinds())
    }

    func activityTypes() async throws(ServiceFailure) -> [AdministrationRecord] {
        try await asking { () async throws(CloudStorageError) in
            try await client.activityTypes()
        }.map { type in
            AdministrationRecord(
                [("ID", String(type.id)), ("WHAT", type.activity ?? "")], object: type)
        }
    }

    func recordActivity(
        _ text: String, user: String?
    ) async throws(ServiceFailure) -> AdministrationRecord {
        var request = ActivityRequest()
        request.organization = organization
        request.data = text
        if let user {
            let person = try await person(user)
            request.organization = person.companyID
            request.person = person.id
            request.subject = person.displayName
        }
        let ready = request
        let made = try await asking { () async throws(CloudStorageError) in
            try await client.createActivity(ready)
        }
        return record(made, try await kinds())
    }
}
