import CloudStorage
import LeitzCloudAPI
import LeitzCloudClient

extension LeitzCloudAdministration: OrganizationAdministration {
    private func record(_ organization: WireOrganization) -> AdministrationRecord {
        var record = AdministrationRecord(
            [
                ("ID", String(organization.id)), ("NAME", organization.name ?? ""),
                ("SLUG", organization.slug ?? ""), ("EMAIL", organization.email ?? ""),
                ("NOTES", organization.active == false ? "disabled" : ""),
            ], object: organization)
        record.details = [
            .init(title: "ABOVE", text: organization.parentID.map { String($0) } ?? "none"),
            .init(title: "DESCRIPTION", text: organization.description ?? ""),
            .init(title: "HOSTNAME", text: organization.hostname ?? ""),
            .init(title: "LICENSE KEY", text: organization.licenseKey ?? ""),
            .init(title: "CREATED", text: organization.created?.text ?? ""),
            .init(title: "TRIAL UNTIL", text: organization.trialUntil?.text ?? "none"),
        ]
        return record
    }

    private func wireOrganization(_ name: String?) async throws(ServiceFailure) -> WireOrganization
    {
        let own = organization
        let found = try await looking { () async throws(CloudStorageError) in
            guard let name else { return try await client.organization(own) }
            if let id = Int64(name) { return try await client.organization(id) }
            return try await client.organization(licenseKey: name)
        }
        guard let found else {
            throw ServiceFailure("there is no organization '\(name ?? String(own))'")
        }
        return found
    }

    func organizations(from offset: Int64) async throws(ServiceFailure) -> RecordPage {
        try await page(client.organizations(below: organization, from: offset), offset, record)
    }

    func organization(_ name: String?) async throws(ServiceFailure) -> AdministrationRecord {
        record(try await wireOrganization(name))
    }

    private func request(_ draft: OrganizationDraft) -> OrganizationRequest {
        var request = OrganizationRequest()
        request.name = draft.name
        request.email = draft.email
        request.slug = draft.slug
        request.hostname = draft.hostname
        request.description = draft.description
        request.policy = Self.policy(draft.rules)
        return request
    }

    private static func policy(_ rules: [(String, String)]) -> WirePolicy {
        WirePolicy(
            fields: Dictionary(rules.map { ($0.0, .text($0.1)) }) { _, last in last })
    }

    func createOrganization(
        _ draft: OrganizationDraft
    ) async throws(ServiceFailure) -> AdministrationRecord {
        let request = request(draft)
        return record(
            try await asking { () async throws(CloudStorageError) in
                try await client.createOrganization(below: organization, request)
            })
    }

    func updateOrganization(
        _ name: String, _ draft: OrganizationDraft
    ) async throws(ServiceFailure) -> AdministrationRecord {
        let id = try await wireOrganization(name).id
        let request = request(draft)
        return record(
            try await asking { () async throws(CloudStorageError) in
                try await client.updateOrganization(id, request)
            })
    }

    func setActive(_ isActive: Bool, organization name: String) async throws(ServiceFailure) {
        let id = try await wireOrganization(name).id
        try await asking { () async throws(CloudStorageError) in
            if isActive {
                try await client.enableOrganization(id)
            } else {
                try await client.disableOrganization(id)
            }
        }
    }

    func deleteOrganization(_ name: String) async throws(ServiceFailure) {
        let id = try await wireOrganization(name).id
        try await asking { () async throws(CloudStorageError) in
            try await client.deleteOrganization(id)
        }
    }

    private func policyRecord(_ organization: WireOrganization) -> AdministrationRecord {
        let policy = organization.policy ?? WirePolicy()
        let cells = policy.fields.sorted { $0.key < $1.key }
            .filter { $0.key != "type" }
            .map { ($0.key, $0.value.formText ?? "") }
        return AdministrationRecord(cells, object: policy)
    }

    func policy(of name: String?) async throws(ServiceFailure) -> AdministrationRecord {
        policyRecord(try await wireOrganization(name))
    }

    func updatePolicy(
        of name: String?, _ rules: [(String, String)]
    ) async throws(ServiceFailure) -> AdministrationRecord {
        let before = try await wireOrganization(name)
        for (rule, _) in rules where before.policy?.fields[rule] == nil {
            throw ServiceFailure(
                "the cloud's policy has no rule '\(rule)'",
                remedy: "ordner org policy ACCOUNT lists them.")
        }
        let policy = Self.policy(rules)
        return policyRecord(
            try await asking { () async throws(CloudStorageError) in
                try await client.updatePolicy(of: before.id, policy)
            })
    }

    func directoryServers(from offset: Int64) async throws(ServiceFailure) -> RecordPage {
        try await page(client.authSources(of: organization, from: offset), offset) { source in
            AdministrationRecord(
                [
                    ("ID", String(source.id)), ("HOST", source.host ?? ""),
                    ("DOMAIN", source.domain ?? ""), ("LOGIN", source.login ?? ""),
                    ("PORT", source.port.map { String($0) } ?? ""),
                    ("TLS", source.ssl == true ? "yes" : "no"),
                ], object: source)
        }
    }

    func root(_ id: Int64) async throws(ServiceFailure) -> AdministrationRecord {
        record(
            try await asking { () async throws(CloudStorageError) in
                try await client.root(id, ofOrganization: organization)
            })
    }

    func roots(from offset: Int64) async throws(ServiceFailure) -> RecordPage {
        try await page(client.roots(ofOrganization: organization, from: offset), offset, record)
    }
}

extension LeitzCloudAdministration: UsageAdministration {
    func usage() async throws(ServiceFailure) -> (
        spaces: [AdministrationRecord], whole: AdministrationRecord
    ) {
        let usage = try await asking { () async throws(CloudStorageError) in
            try await client.usage(ofOrganization: organization)
        }
        let kinds: [(String, WireSpaceUsage?)] = [
            ("users", usage.users), ("team shares", usage.teamShares),
            ("backups", usage.backups), ("all", usage.total),
        ]
        let spaces = kinds.compactMap { name, space in space.map { Self.record(name, $0) } }
        let counts = usage.counts
        let numbers: [(String, Int64?)] = [
            ("USERS", counts?.accounts), ("ADMINISTRATORS", counts?.adminAccounts),
            ("GUESTS", counts?.guests), ("GROUPS", counts?.groups),
            ("MACHINES", counts?.machines), ("ORGANIZATIONS", counts?.organizations),
        ]
        let whole = AdministrationRecord(
            numbers.map { ($0.0, $0.1.map { String($0) } ?? "") }, object: usage)
        return (spaces, whole)
    }

    private static func record(_ name: String, _ space: WireSpaceUsage) -> AdministrationRecord {
        AdministrationRecord(
            [
                ("ROOTS OF", name), ("ROOTS", space.rootCount.map { String($0) } ?? ""),
                ("FILES", space.fileCount.map { String($0) } ?? ""),
                ("CURRENT", bytes(space.headSize)), ("REVISIONS", bytes(space.revisionSize)),
                ("DELETED", bytes(space.deletedSize)), ("TOTAL", bytes(space.physicalSize)),
            ], object: space)
    }
}
