import CloudStorage
import LeitzCloudAPI
import LeitzCloudClient

extension LeitzCloudAdministration: UserAdministration {
    private func record(_ person: WirePerson) -> AdministrationRecord {
        let rights = [
            person.systemAdmin == true ? "system administrator" : nil,
            person.siteAdmin == true ? "administrator" : nil,
            person.active == false ? "disabled" : nil,
        ].compactMap { $0 }
        var record = AdministrationRecord(
            [
                ("ID", String(person.id)), ("EMAIL", person.email),
                ("NAME", person.displayName ?? ""),
                ("USED", Self.bytes(person.spaceUsage?.value)),
                ("QUOTA", Self.bytes(person.spaceQuota?.value)),
                ("NOTES", rights.joined(separator: ", ")),
            ], object: person)
        let roots = (person.roots ?? []).map { "\($0.name) (\($0.id))" }
        record.details = [
            .init(title: "USERNAME", text: person.username ?? ""),
            .init(title: "PHONE", text: person.mobilePhone ?? ""),
            .init(title: "ORGANIZATION", text: person.companyID.map { String($0) } ?? ""),
            .init(title: "ROOTS", text: roots.joined(separator: ", ")),
            .init(title: "CREATED", text: person.created?.text ?? ""),
        ]
        return record
    }

    /// A person by number or address.
    func person(_ name: String) async throws(ServiceFailure) -> WirePerson {
        guard let person = try await existingPerson(name) else {
            throw ServiceFailure("there is no user '\(name)'")
        }
        return person
    }

    private func existingPerson(_ name: String) async throws(ServiceFailure) -> WirePerson? {
        try await looking { () async throws(CloudStorageError) in
            if let id = Int64(name) { return try await client.person(id) }
            return try await client.person(email: name)
        }
    }

    func users(from offset: Int64) async throws(ServiceFailure) -> RecordPage {
        try await page(client.persons(of: organization, from: offset), offset, record)
    }

    func user(_ name: String) async throws(ServiceFailure) -> AdministrationRecord {
        record(try await person(name))
    }

    func user(like draft: UserDraft) async throws(ServiceFailure) -> ExistingUser? {
        guard let email = draft.email else { return nil }
        return try await existingPerson(email).map {
            ExistingUser(name: String($0.id), email: $0.email)
        }
    }

    private func request(_ draft: UserDraft) async throws(ServiceFailure) -> PersonRequest {
        var request = PersonRequest()
        request.email = draft.email
        request.username = draft.username
        request.firstName = draft.firstName
        request.lastName = draft.lastName
        request.password = draft.password?.newPassword
        request.spaceQuota = draft.quota
        request.mobilePhone = draft.mobilePhone
        request.isSiteAdministrator = draft.isAdministrator
        request.isActive = draft.isActive
        request.createsRoot = draft.makesRoot
        request.sendsWelcome = draft.sendsWelcome
        if let groups = draft.groups {
            var numbers: [Int64] = []
            for group in groups { numbers.append(try await groupNumber(group)) }
            request.groups = numbers
        }
        return request
    }

    func createUser(_ draft: UserDraft) async throws(ServiceFailure) -> AdministrationRecord {
        var request = try await request(draft)
        request.organization = organization
        let ready = request
        return record(
            try await asking { () async throws(CloudStorageError) in
                try await client.createPerson(ready)
            })
    }

    func updateUser(
        _ name: String, _ draft: UserDraft
    ) async throws(ServiceFailure) -> AdministrationRecord {
        let person = try await person(name)
        let request = try await request(draft)
        return record(
            try await asking { () async throws(CloudStorageError) in
                try await client.updatePerson(person.id, request)
            })
    }

    func deleteUser(_ name: String, removesFiles: Bool) async throws(ServiceFailure) {
        let person = try await person(name)
        var removal = PersonRemoval()
        removal.removesOwnFiles = removesFiles
        removal.removesSharedFiles = removesFiles
        removal.removesServerFiles = removesFiles
        let ready = removal
        try await asking { () async throws(CloudStorageError) in
            try await client.deletePerson(person.id, ready)
        }
    }

    func createRoot(of name: String) async throws(ServiceFailure) -> AdministrationRecord {
        let person = try await person(name)
        return record(
            try await asking { () async throws(CloudStorageError) in
                try await client.createRoot(ofPerson: person.id)
            })
    }

    /// A root in a table.
    func record(_ root: WireRoot) -> AdministrationRecord {
        var record = AdministrationRecord(
            [
                ("ID", String(root.id)), ("NAME", root.name), ("TYPE", root.rootType ?? ""),
                ("USED", Self.bytes(root.spaceUsed)),
            ], object: root)
        record.details = [
            .init(title: "DESCRIPTION", text: root.description ?? ""),
            .init(title: "LOCKED", text: root.isLocked == true ? "yes" : "no"),
            .init(title: "AUTO LOCK", text: root.autoLock == true ? "yes" : "no"),
        ]
        return record
    }
}

extension AccountPassword {
    fileprivate var newPassword: NewPassword {
        switch self {
        case .given(let text): .given(text)
        case .fromCloud: .generated
        }
    }
}

extension LeitzCloudAdministration: GuestAdministration {
    private func record(_ guest: WireGuest) -> AdministrationRecord {
        AdministrationRecord(
            [
                ("ID", String(guest.id)), ("EMAIL", guest.email ?? ""),
                ("NAME", "\(guest.firstName ?? "") \(guest.lastName ?? "")"),
                ("CREATED", guest.created?.text ?? ""),
                ("NOTES", guest.active == false ? "disabled" : ""),
            ], object: guest)
    }

    private func wireGuest(_ name: String) async throws(ServiceFailure) -> WireGuest {
        let guest = try await looking { () async throws(CloudStorageError) in
            if let id = Int64(name) { return try await client.guest(id) }
            return try await client.guest(email: name)
        }
        guard let guest else { throw ServiceFailure("there is no guest '\(name)'") }
        return guest
    }

    func guests(from offset: Int64) async throws(ServiceFailure) -> RecordPage {
        try await page(client.guests(of: organization, from: offset), offset, record)
    }

    func guest(_ name: String) async throws(ServiceFailure) -> AdministrationRecord {
        record(try await wireGuest(name))
    }

    private func request(_ draft: GuestDraft) -> GuestRequest {
        var request = GuestRequest()
        request.email = draft.email
        request.firstName = draft.firstName
        request.lastName = draft.lastName
        request.password = draft.password?.newPassword
        request.sendsWelcome = draft.sendsWelcome
        return request
    }

    func createGuest(_ draft: GuestDraft) async throws(ServiceFailure) -> AdministrationRecord {
        var request = request(draft)
        request.organization = organization
        let ready = request
        return record(
            try await asking { () async throws(CloudStorageError) in
                try await client.createGuest(ready)
            })
    }

    func updateGuest(
        _ name: String, _ draft: GuestDraft
    ) async throws(ServiceFailure) -> AdministrationRecord {
        let guest = try await wireGuest(name)
        let request = request(draft)
        return record(
            try await asking { () async throws(CloudStorageError) in
                try await client.updateGuest(guest.id, request)
            })
    }

    func deleteGuest(_ name: String) async throws(ServiceFailure) {
        let guest = try await wireGuest(name)
        try await asking { () async throws(CloudStorageError) in
            try await client.deleteGuest(guest.id)
        }
    }

    func shares(ofGuest name: String) async throws(ServiceFailure) -> [AdministrationRecord] {
        let guest = try await wireGuest(name)
        let shares = try await asking { () async throws(CloudStorageError) in
            try await client.shares(ofGuest: guest.id)
        }
        return shares.map(Self.record)
    }

    func convertGuest(_ name: String) async throws(ServiceFailure) -> AdministrationRecord {
        let guest = try await wireGuest(name)
        return record(
            try await asking { () async throws(CloudStorageError) in
                try await client.convertGuest(guest.id)
            })
    }
}
