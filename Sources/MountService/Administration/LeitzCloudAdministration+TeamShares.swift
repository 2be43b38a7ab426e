import CloudStorage
import LeitzCloudAPI
import LeitzCloudClient

extension LeitzCloudAdministration: TeamShareAdministration {
    private func wireShare(_ name: String) async throws(ServiceFailure) -> WireRoot {
        if let id = Int64(name) {
            let share = try await looking { () async throws(CloudStorageError) in
                try await client.teamShare(id, of: organization)
            }
            if let share { return share }
        }
        return try await find(name, in: client.teamShares(of: organization), "team share") {
            $0.name
        }
    }

    func teamShares(from offset: Int64) async throws(ServiceFailure) -> RecordPage {
        try await page(client.teamShares(of: organization, from: offset), offset, record)
    }

    func teamShare(_ name: String) async throws(ServiceFailure) -> AdministrationRecord {
        record(try await wireShare(name))
    }

    private func request(_ draft: TeamShareDraft) -> TeamShareRequest {
        var request = TeamShareRequest()
        request.name = draft.name
        request.description = draft.description
        request.autoLock = draft.autoLock
        request.notify = draft.notify
        request.organization = draft.organization
        return request
    }

    func createTeamShare(
        _ draft: TeamShareDraft
    ) async throws(ServiceFailure) -> AdministrationRecord {
        let request = request(draft)
        return record(
            try await asking { () async throws(CloudStorageError) in
                try await client.createTeamShare(in: organization, request)
            })
    }

    func updateTeamShare(
        _ name: String, _ draft: TeamShareDraft
    ) async throws(ServiceFailure) -> AdministrationRecord {
        let share = try await wireShare(name)
        let request = request(draft)
        return record(
            try await asking { () async throws(CloudStorageError) in
                try await client.updateTeamShare(share.id, of: organization, request)
            })
    }

    func deleteTeamShare(_ name: String, removesFiles: Bool) async throws(ServiceFailure) {
        let share = try await wireShare(name)
        try await asking { () async throws(CloudStorageError) in
            try await client.deleteTeamShare(
                share.id, of: organization, removesFiles: removesFiles)
        }
    }

    private func wireSubscribers(
        _ share: Int64, deep: Bool
    ) async throws(ServiceFailure) -> WireSubscribers {
        try await asking { () async throws(CloudStorageError) in
            try await client.subscribers(
                ofTeamShare: share, in: organization, includesGroups: deep)
        }
    }

    func subscribers(
        of name: String, deep: Bool
    ) async throws(ServiceFailure) -> [AdministrationRecord] {
        let share = try await wireShare(name)
        let found = try await wireSubscribers(share.id, deep: deep)
        var records: [AdministrationRecord] = []
        let lists: [(String, [WireSubscriber]?, String)] = [
            ("user", found.subscribers, "itself"), ("group", found.groups, "itself"),
            ("user", found.fromGroup, "a group"),
        ]
        var names: [String: String] = [:]
        for (kind, list, way) in lists {
            for one in list ?? [] {
                let key = "\(kind) \(one.id)"
                if names[key] == nil { names[key] = try await self.name(of: kind, one.id) }
                let cells = [
                    ("TYPE", kind), ("ID", String(one.id)), ("NAME", names[key] ?? ""),
                    ("WITH", one.kind.text), ("ROLE", one.role), ("BY", way),
                ]
                records.append(Self.record(cells))
            }
        }
        for (email, state) in found.external.sorted(by: { $0.key < $1.key }) {
            records.append(
                Self.record([
                    ("TYPE", "external"), ("ID", ""), ("NAME", email), ("WITH", state),
                    ("ROLE", "COLLABORATOR"), ("BY", "invitation"),
                ]))
        }
        return records
    }

    private static func record(_ cells: [(String, String)]) -> AdministrationRecord {
        AdministrationRecord(
            cells,
            object: Dictionary(uniqueKeysWithValues: cells.map { ($0.0.lowercased(), $0.1) }))
    }

    func changeSubscribers(
        of name: String, _ change: SubscriptionChange
    ) async throws(ServiceFailure) {
        let share = try await wireShare(name)
        let present = try await wireSubscribers(share.id, deep: false)
        var request = SubscribersRequest()
        if !change.addedUsers.isEmpty || !change.removedUsers.isEmpty {
            let added = try await userNumbers(change.addedUsers)
            let removed = try await userNumbers(change.removedUsers)
            request.persons =
                (present.subscribers ?? []).filter { !(added + removed).contains($0.id) }
                + added.map { WireSubscriber(id: $0, kind: .all, role: change.role) }
        }
        if !change.addedGroups.isEmpty || !change.removedGroups.isEmpty {
            let added = try await groupNumbers(change.addedGroups)
            let removed = try await groupNumbers(change.removedGroups)
            let kinds: [WireSubscriber.Kind] = [.web, .webDAV, .machines]
            request.groups =
                (present.groups ?? []).filter { !(added + removed).contains($0.id) }
                + added.flatMap { id in
                    kinds.map { WireSubscriber(id: id, kind: $0, role: change.role) }
                }
        }
        if !change.invited.isEmpty || !change.uninvited.isEmpty {
            request.external = Set(present.external.keys).union(change.invited)
                .subtracting(change.uninvited).sorted()
        }
        let ready = request
        try await asking { () async throws(CloudStorageError) in
            try await client.updateSubscribers(ofTeamShare: share.id, in: organization, ready)
        }
    }
}
