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
        let numbers = SubscriptionNumbers(
            change, addedUsers: try await userNumbers(change.addedUsers),
            removedUsers: try await userNumbers(change.removedUsers),
            addedGroups: try await groupNumbers(change.addedGroups),
            removedGroups: try await groupNumbers(change.removedGroups))
        try await settle("the team share \(name)") { () async throws(ServiceFailure) in
            try await wireSubscribers(share.id, deep: false)
        } isThere: { present in
            numbers.isThere(in: present)
        } write: { present async throws(ServiceFailure) in
            let request = numbers.request(present)
            try await asking { () async throws(CloudStorageError) in
                try await client.updateSubscribers(
                    ofTeamShare: share.id, in: organization, request)
            }
        }
    }
}

/// A change of subscribers with the numbers of those who are named.
private struct SubscriptionNumbers {
    private let change: SubscriptionChange
    private let addedUsers: [Int64]
    private let removedUsers: [Int64]
    private let addedGroups: [Int64]
    private let removedGroups: [Int64]

    init(
        _ change: SubscriptionChange, addedUsers: [Int64], removedUsers: [Int64],
        addedGroups: [Int64], removedGroups: [Int64]
    ) {
        self.change = change
        self.addedUsers = addedUsers
        self.removedUsers = removedUsers
        self.addedGroups = addedGroups
        self.removedGroups = removedGroups
    }

    /// The lists as they are to be; those that do not change are left out.
    func request(_ present: WireSubscribers) -> SubscribersRequest {
        var request = SubscribersRequest()
        if !addedUsers.isEmpty || !removedUsers.isEmpty {
            request.persons =
                (present.subscribers ?? []).filter { !(addedUsers + removedUsers).contains($0.id) }
                + addedUsers.map { WireSubscriber(id: $0, kind: .all, role: change.role) }
        }
        if !addedGroups.isEmpty || !removedGroups.isEmpty {
            let kinds: [WireSubscriber.Kind] = [.web, .webDAV, .machines]
            request.groups =
                (present.groups ?? []).filter { !(addedGroups + removedGroups).contains($0.id) }
                + addedGroups.flatMap { id in
                    kinds.map { WireSubscriber(id: id, kind: $0, role: change.role) }
                }
        }
        if !change.invited.isEmpty || !change.uninvited.isEmpty {
            request.external = Set(present.external.keys).union(change.invited)
                .subtracting(change.uninvited).sorted()
        }
        return request
    }

    func isThere(in present: WireSubscribers) -> Bool {
        let invited = Set(present.external.keys.map { $0.lowercased() })
        return isThere(addedUsers, removedUsers, in: present.subscribers)
            && isThere(addedGroups, removedGroups, in: present.groups)
            && change.invited.allSatisfy { invited.contains($0.lowercased()) }
            && change.uninvited.allSatisfy { !invited.contains($0.lowercased()) }
    }

    private func isThere(_ added: [Int64], _ removed: [Int64], in list: [WireSubscriber]?)
        -> Bool
    {
        let list = list ?? []
        return !list.contains { removed.contains($0.id) && !added.contains($0.id) }
            && added.allSatisfy { id in
                let own = list.filter { $0.id == id }
                return !own.isEmpty && own.allSatisfy { $0.role == change.role }
            }
    }
}
