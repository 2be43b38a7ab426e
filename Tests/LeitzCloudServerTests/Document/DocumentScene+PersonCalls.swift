import LeitzCloudAPI

/// The chapters "Person", "Gast" and "Gruppe".
extension DocumentScene {
    static let createPerson = "POST /api/2/person/create"
    static let createGuest = "POST /api/2/guest/create"
    static let createGroup = "POST /api/2/group/create"

    func personCall(_ line: String) -> DocumentedCall? {
        let user: [String: JSONValue] = [
            "id": number("user"), "email": .text("user@example.com"),
            "display_name": .text("First Last"), "root_id": number("own root"),
        ]
        switch line {
        case "GET /api/2/person":
            return DocumentedCall(expected: [
                "id": number("person"), "email": .text(CloudHarness.email),
            ])
        case "GET /api/2/person/<email>":
            return DocumentedCall(values: ["email": "user@example.com"], expected: user)
        case Self.createPerson: return newPerson()
        default: break
        }
        guard let word = Self.word(line, behind: "/api/2/person/<person_id>") else { return nil }
        var call = DocumentedCall(values: ["person_id": self["user"]])
        switch word {
        case "GET ": call.expected = user
        case "POST /update":
            call.fields = [("last_name", "Other"), ("space_quota", "20000")]
            call.expected = [
                "last_name": .text("Other"), "display_name": .text("First Other"),
                "space_quota": .integer(20_000), "first_name": .text("First"),
            ]
        case "POST /delete":
            call.values = ["person_id": made(by: Self.createPerson)]
            call.fields = [
                ("remove_server_files", "true"), ("remove_user_files", "true"),
                ("remove_dept_files", "true"),
            ]
        case "POST /roots/create":
            call.values = ["person_id": self["other"]]
            call.fields = [("webdav", "true")]
            call.expected = ["root_type": .text("sync"), "space_used": .integer(0)]
        case "GET /activity":
            call.fields = [("offset", "0")]
            call.nullable = Self.activityFields
        default: return nil
        }
        return call
    }

    private func newPerson() -> DocumentedCall {
        let names = [
            ("email", "new@example.com"), ("first_name", "Carl"), ("last_name", "Neu"),
            ("mobile_phone", "0123"),
        ]
        var call = DocumentedCall(
            fields: names + [
                ("company_id", self["organization"]), ("password", "x"),
                ("generate_password", "false"), ("pw_expires", "24"), ("webdav", "true"),
                ("space_quota", "10000"), ("site_admin", "false"), ("system_admin", "false"),
                ("create_root", "true"), ("dept_shares", "true"),
                ("group_ids", "[\(self["group"])]"), ("send_welcome_email", "true"),
            ])
        for mark in [50, 80, 85, 90, 95, 100] { call.fields.append(("quota_\(mark)", "true")) }
        for (name, value) in names { call.expected[name] = .text(value) }
        call.expected["can_share"] = .flag(true)
        call.expected["space_quota"] = .integer(10_000)
        call.expected["display_name"] = .text("Carl Neu")
        return call
    }

    func guestCall(_ line: String) -> DocumentedCall? {
        let guest: [String: JSONValue] = [
            "id": number("guest"), "email": .text("guest@example.com"), "active": .flag(true),
            "company_id": number("organization"), "creator_id": number("person"),
        ]
        if line == "GET /api/2/guest/<email>" {
            return DocumentedCall(values: ["email": "guest@example.com"], expected: guest)
        }
        let names = [("email", "visitor@example.com"), ("first_name", "Vera"), ("last_name", "S")]
        if line == Self.createGuest {
            var call = DocumentedCall(
                fields: names + [
                    ("company_id", self["organization"]), ("password", "x"),
                    ("generate_password", "false"), ("send_welcome_email", "true"),
                    ("pw_expires", "6"),
                ])
            for (name, value) in names { call.expected[name] = .text(value) }
            return call
        }
        guard let word = Self.word(line, behind: "/api/2/guest/<guest_id>") else { return nil }
        var call = DocumentedCall(values: ["guest_id": self["guest"]])
        switch word {
        case "GET ": call.expected = guest
        case "POST /update":
            call.values = ["guest_id": made(by: Self.createGuest)]
            call.fields = [
                ("first_name", "Wera"), ("last_name", "T"), ("email", "wera@example.com"),
                ("password", "y"), ("pw_expires", ""),
            ]
            call.expected = ["first_name": .text("Wera"), "email": .text("wera@example.com")]
        case "POST /delete": call.values = ["guest_id": made(by: Self.createGuest)]
        case "GET /shares": break
        case "POST /convert":
            call.expected = [
                "email": .text("guest@example.com"), "display_name": .text("First Last"),
            ]
            // The account has no root yet.
            call.nullable = ["root_id"]
        default: return nil
        }
        return call
    }

    func groupCall(_ line: String) -> DocumentedCall? {
        let members = [
            ("members", "[\(self["user"]), \(self["other"])]"),
            ("member_groups", "[\(self["deep"])]"),
        ]
        if line == Self.createGroup {
            return DocumentedCall(
                fields: [("name", "Example Group"), ("company_id", self["organization"])]
                    + members,
                expected: [
                    "name": .text("Example Group"), "company_id": number("organization"),
                    "active": .flag(true),
                ])
        }
        guard let word = Self.word(line, behind: "/api/2/group/<group_id>") else { return nil }
        var call = DocumentedCall(values: ["group_id": made(by: Self.createGroup)])
        switch word {
        case "GET ": call.expected = ["name": .text("Example Group")]
        case "POST /update":
            call.fields = [("name", "Renamed Group")]
            call.expected = ["name": .text("Renamed Group")]
        case "GET /members":
            call.values = ["group_id": self["group"]]
            call.fields = [("include_from_group", "true")]
            call.expected = [
                "members": .list([number("user")]), "member_groups": .list([number("middle")]),
                "members_from_group": .list([number("other")]),
                "member_groups_from_group": .list([number("deep")]),
            ]
        case "POST /members/update":
            call.fields = members + [("remove_files", "false")]
        case "POST /delete": call.fields = [("remove_files", "false")]
        default: return nil
        }
        return call
    }
}
