import CloudStorage
import LeitzCloudAPI
import LeitzCloudClient

extension LeitzCloudAdministration: GroupAdministration {
    private func record(_ group: WireGroup) -> AdministrationRecord {
        AdministrationRecord(
            [
                ("ID", String(group.id)), ("NAME", group.name ?? ""),
                ("CREATED", group.created?.text ?? ""),
            ], object: group)
    }

    private func wireGroup(_ name: String) async throws(ServiceFailure) -> WireGroup {
        if let id = Int64(name) {
            let group = try await looking { () async throws(CloudStorageError) in
                try await client.group(id)
            }
            if let group { return group }
        }
        return try await find(name, in: client.groups(of: organization), "group") { $0.name }
    }

    func groupNumber(_ name: String) async throws(ServiceFailure) -> Int64 {
        try await wireGroup(name).id
    }

    func groups(from offset: Int64) async throws(ServiceFailure) -> RecordPage {
        try await page(client.groups(of: organization, from: offset), offset, record)
    }

    func group(_ name: String) async throws(ServiceFailure) -> AdministrationRecord {
        record(try await wireGroup(name))
    }

    func createGroup(_ name: String) async throws(ServiceFailure) -> AdministrationRecord {
        record(
            try await asking { () async throws(CloudStorageError) in
                try await client.createGroup(name, in: organization)
            })
    }

    func renameGroup(
        _ name: String, to new: String
    ) async throws(ServiceFailure) -> AdministrationRecord {
        let id = try await groupNumber(name)
        return record(
            try await asking { () async throws(CloudStorageError) in
                try await client.renameGroup(id, to: new)
            })
    }

    func deleteGroup(_ name: String) async throws(ServiceFailure) {
        let id = try await groupNumber(name)
        try await asking { () async throws(CloudStorageError) in
            try await client.deleteGroup(id)
        }
    }

    func members(
        of group: String, deep: Bool
    ) async throws(ServiceFailure) -> [AdministrationRecord] {
        let id = try await groupNumber(group)
        let members = try await asking { () async throws(CloudStorageError) in
            try await client.members(ofGroup: id, includesGroups: deep)
        }
        var records: [AdministrationRecord] = []
        let lists: [(String, [Int64]?, String)] = [
            ("user", members.members, "itself"), ("group", members.memberGroups, "itself"),
            ("user", members.membersFromGroup, "a group"),
            ("group", members.memberGroupsFromGroup, "a group"),
        ]
        for (kind, ids, way) in lists {
            for id in ids ?? [] {
                let name = try await self.name(of: kind, id)
                records.append(
                    AdministrationRecord(
                        [("TYPE", kind), ("ID", String(id)), ("NAME", name), ("BY", way)],
                        object: ["type": kind, "id": String(id), "name": name, "by": way]))
            }
        }
        return records
    }

    /// What people call a user or a group; nothing where it has gone meanwhile.
    func name(of kind: String, _ id: Int64) async throws(ServiceFailure) -> String {
        let name = try await looking { () async throws(CloudStorageError) in
            kind == "user" ? try await client.person(id).email : try await client.group(id).name
        }
        return (name ?? nil) ?? ""
    }

    func changeMembers(
        of group: String, _ change: MembershipChange
    ) async throws(ServiceFailure) {
        let id = try await groupNumber(group)
        let persons = Wanted(
            added: try await userNumbers(change.addedUsers),
            removed: try await userNumbers(change.removedUsers))
        let groups = Wanted(
            added: try await groupNumbers(change.addedGroups),
            removed: try await groupNumbers(change.removedGroups))
        try await settle("the group \(group)") { () async throws(ServiceFailure) in
            try await asking { () async throws(CloudStorageError) in
                try await client.members(ofGroup: id)
            }
        } isThere: { members in
            persons.isThere(in: members.members) && groups.isThere(in: members.memberGroups)
        } write: { members async throws(ServiceFailure) in
            var request = MembersRequest()
            request.persons = persons.applied(to: members.members)
            request.groups = groups.applied(to: members.memberGroups)
            let ready = request
            try await asking { () async throws(CloudStorageError) in
                try await client.updateMembers(ofGroup: id, ready)
            }
        }
    }

    /// Numbers that are to be in a list, and such that are not.
    private struct Wanted {
        var added: [Int64]
        var removed: [Int64]

        /// Nil where nothing is to change.
        func applied(to list: [Int64]?) -> [Int64]? {
            guard !added.isEmpty || !removed.isEmpty else { return nil }
            return Set(list ?? []).union(added).subtracting(removed).sorted()
        }

        func isThere(in list: [Int64]?) -> Bool {
            let list = Set(list ?? [])
            return list.isDisjoint(with: removed)
                && list.isSuperset(of: Set(added).subtracting(removed))
        }
    }

    func userNumbers(_ names: [String]) async throws(ServiceFailure) -> [Int64] {
        var numbers: [Int64] = []
        for name in names { numbers.append(try await person(name).id) }
        return numbers
    }

    func groupNumbers(_ names: [String]) async throws(ServiceFailure) -> [Int64] {
        var numbers: [Int64] = []
        for name in names { numbers.append(try await groupNumber(name)) }
        return numbers
    }
}
