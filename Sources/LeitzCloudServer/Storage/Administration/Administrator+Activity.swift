import GRDB
import LeitzCloudAPI

/// Records of what happened (API v2, "Aktivität"), and directory servers.
extension Administrator {
    func activity(of organization: Int64, _ range: PageRange) throws -> WirePage<WireActivity> {
        try require(organization)
        return try Activities.page(db, "organization_id = ?1", [organization], range)
    }

    /// A record that the caller made or administers.
    func activity(_ id: Int64) throws -> WireActivity {
        guard let record = try Activities.record(db, id: id) else { throw APIError.notFound }
        if record.activity.actorPersonID != person, try !administers(record.organization) {
            throw APIError.forbidden
        }
        return record.activity
    }

    func activityTypes() throws -> [WireActivityType] { try Activities.types(db) }

    /// A record that an administrator adds. The document names no fields; those of the object are
    /// taken: `activity_type_id`, `acted_on_company_id` (the caller's organization where it is
    /// missing), at most one other `acted_on_…_id`, `acted_on_text`, `action_text`, `data_text`.
    func createActivity(_ form: FormFields) throws -> WireActivity {
        let company = try form.integer("acted_on_company_id") ?? organization
        try require(company)
        let kind = try form.integer("activity_type_id") ?? ActivityKind.noted.rawValue
        guard let kind = ActivityKind(rawValue: kind) else { throw APIError.notFound }
        var subject = ActivityNote.Subject.organization(
            company, name: try form["acted_on_text"] ?? name(ofOrganization: company))
        let text = form["acted_on_text"] ?? ""
        if let id = try form.integer("acted_on_person_id") {
            if try !administers(try require(person: id)) { throw APIError.forbidden }
            subject = .person(id, name: text)
        } else if let id = try form.integer("acted_on_guest_id") {
            subject = .guest(try guest(.id(id)).id, name: text)
        } else if let id = try form.integer("acted_on_group_id") {
            subject = .group(try group(id).id, name: text)
        } else if let id = try form.integer("acted_on_machine_id") {
            subject = .machine(try machineRow(id).id, name: text)
        } else if let id = try form.integer("acted_on_root_id") {
            subject = .root(try root(id, of: company).id, name: text)
        }
        try Activities.note(
            db,
            ActivityNote(
                kind: kind, subject: subject, organization: company,
                action: form["action_text"], data: form["data_text"]),
            by: person, guid: tree.caller.guid, now: now)
        let last = try Int64.fetchOne(db, sql: "SELECT max(id) FROM activities")
        return try activity(last ?? 0)
    }

    func authSources(of organization: Int64, _ range: PageRange) throws -> WirePage<WireAuthSource>
    {
        try require(organization)
        return try page(
            "id, host, domain, login, port, protocol, is_ssl, machine_id",
            "FROM auth_sources WHERE organization_id = ?", [organization], range
        ) { row in
            var source = WireAuthSource(fields: [
                "type": .text("auth_source"), "id": .integer(row[0]),
            ])
            source.host = row[1]
            source.domain = row[2]
            source.login = row[3]
            source.port = row[4]
            source.protocol = row[5]
            source.ssl = row[6]
            source.machineID = row[7]
            return source
        }
    }
}
