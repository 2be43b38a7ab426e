import LeitzCloudAPI

/// The chapter "Organisation".
extension DocumentScene {
    private static let rules = [
        ("space_quota", "1073741824240000"), ("max_file_size", "300"),
        ("excluded_extensions", ".exe,.iso"), ("user_trim_revisions", "true"),
        ("trim_revisions", "true"), ("trim_revisions_x", "30"), ("user_purge_deleted", "true"),
        ("purge_deleted", "true"), ("purge_deleted_frequency", "60"),
        ("deactivate_token_frequency", "20"), ("user_create_backups", "true"),
        ("user_create_shares", "true"), ("secure_shares", "false"),
        ("user_overwrite_collisions", "false"), ("user_lock_files", "true"),
        ("locked_extensions", ".doc,.docx"), ("admin_browse_files", "true"),
        ("admin_browse_remote", "true"), ("admin_create_users", "true"),
        ("change_password_frequency", "90"), ("require_two_step_auth", "false"),
        ("num_users_minimum", "1"), ("num_users_maximum", "20"), ("num_orgs_maximum", "10"),
        ("backups_enabled", "true"), ("branding_enabled", "true"), ("webdav_enabled", "true"),
        ("psa_enabled", "true"), ("ad_enabled", "true"), ("file_server_enabled", "true"),
        ("trial_length_days", "30"), ("service_plans_enabled", "false"),
        ("require_mobile_lock", "false"), ("web_preview_enabled", "true"),
    ]
    /// Fields of shares that stand in the list of fields of a new organization.
    private static let strays = [
        ("login_required", "false"), ("expires", "2030-01-31"), ("subscribers", ""),
        ("notify_subscribers", "false"), ("download_limit", ""), ("download_notify", "false"),
    ]
    static let createOrganization =
        "POST /api/2/organization/<organization_id>/organizations/create"
    static let createShare = "POST /api/2/organization/<organization_id>/shares/create"

    func organizationCall(_ line: String) -> DocumentedCall? {
        if line == "GET /api/2/organization/<license_key>" {
            return DocumentedCall(
                values: ["license_key": self["license"]],
                expected: ["id": number("organization")])
        }
        let path = "/api/2/organization/<organization_id>"
        guard let word = Self.word(line, behind: path) else { return nil }
        if let call = shareCall(word) ?? organizationList(word) { return call }
        var call = DocumentedCall(values: ["organization_id": self["organization"]])
        switch word {
        case "GET ":
            call.expected = [
                "id": number("organization"), "name": .text("Base"), "slug": .text("base"),
                "parent_id": .integer(1), "email": .text("base@example.com"),
            ]
        case "POST /organizations/create": return newOrganization(call)
        case "POST /update":
            call.fields = [("name", "New Name"), ("description", "of the base")]
            call.expected = ["name": .text("New Name"), "description": .text("of the base")]
        case "POST /policy/update":
            call.fields = [("max_file_size", "1"), ("num_users_minimum", "0")]
        // Those who are made by the examples above go.
        case "POST /disable", "POST /enable", "POST /delete":
            call.values["organization_id"] = made(by: Self.createOrganization)
        case "GET /metrics/usage": break
        default: return nil
        }
        return call
    }

    private func newOrganization(_ call: DocumentedCall) -> DocumentedCall {
        var call = call
        let own = [
            ("name", "Widgets, Ltd."), ("email", "widgets@example.com"), ("hostname", "company"),
            ("slug", "widgets-ltd"), ("description", "They make widgets"),
            ("share_disclaimer", "No claims"),
        ]
        call.fields =
            own + Self.rules + Self.strays
            + [("parent_id", self["organization"]), ("trial_until", "2030-01-02 03:04:05")]
        for (name, value) in own { call.expected[name] = .text(value) }
        call.expected["parent_id"] = number("organization")
        call.expected["trial_until"] = .text("2030-01-02T03:04:05")
        for (name, value) in Self.rules { call.expected["policy/" + name] = .text(value) }
        return call
    }

    private func organizationList(_ word: String) -> DocumentedCall? {
        let lists = [
            "organizations", "roots", "shares", "machines", "persons", "guests", "groups",
            "auth_sources", "activity",
        ]
        guard let list = lists.first(where: { word == "GET /" + $0 }) else { return nil }
        var call = DocumentedCall(
            values: ["organization_id": self["organization"]], fields: [("offset", "0")],
            expected: ["offset": .integer(0)])
        // Not everybody has a root; what was acted on is one of several.
        if list == "persons" { call.nullable = ["root_id"] }
        if list == "activity" { call.nullable = Self.activityFields }
        return call
    }

    private func shareCall(_ word: String) -> DocumentedCall? {
        var call = DocumentedCall(
            values: ["organization_id": self["organization"], "root_id": self["share"]])
        let subscribers = [
            ("subscribers", #"[[\#(self["user"]), "all", "COLLABORATOR"]]"#),
            (
                "group_subscribers",
                #"[[\#(self["group"]), "web", "COLLABORATOR"], [\#(self["group"]), "machines", "COLLABORATOR"]]"#
            ),
            ("external_subscribers", #"["one@example.com"]"#),
        ]
        switch word {
        case "GET /root/<root_id>", "GET /share/<root_id>":
            call.expected = [
                "id": number("share"), "name": .text("Example Share"),
                "root_type": .text("share"), "path": .text("/"),
            ]
        case "POST /shares/create":
            call.fields =
                [
                    ("name", "New Share"), ("description", "new"), ("auto_lock", "true"),
                    ("notify", "false"),
                ] + subscribers
            call.expected = ["name": .text("New Share"), "root_type": .text("share")]
        case "POST /share/<root_id>/update":
            call.values["root_id"] = made(by: Self.createShare)
            call.fields = [
                ("company_id", self["organization"]), ("name", "Renamed"), ("description", "x"),
                ("auto_lock", "false"), ("notify", "true"),
            ]
            call.expected = ["name": .text("Renamed")]
        case "GET /share/<root_id>/subscribers":
            call.fields = [("include_from_group", "true")]
            call.expected = [
                "external_subscribers": .object([
                    "one@example.com": .text("invited"), "two@example.com": .text("accepted"),
                ])
            ]
        case "POST /share/<root_id>/subscribers/update":
            call.values["root_id"] = made(by: Self.createShare)
            call.fields = subscribers + [("remove_files", "false")]
        case "POST /share/<root_id>/delete":
            call.values["root_id"] = made(by: Self.createShare)
            call.fields = [("remove_files", "true")]
        default: return nil
        }
        return call
    }
}
