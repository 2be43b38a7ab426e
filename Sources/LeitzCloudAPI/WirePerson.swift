/// A person object ("Person-Objekt").
package struct WirePerson: WireObject {
    package struct Fields: Sendable {
        package let username = WireField<String>("username")
        package let companyID = WireField<Int64>("company_id")
        package let firstName = WireField<String>("first_name")
        package let lastName = WireField<String>("last_name")
        package let displayName = WireField<String>("display_name")
        /// The person's own sync root; nil where there is none.
        package let rootID = WireField<Int64>("root_id")
        package let roots = WireField<[WireRoot]>("roots")
        /// Bytes.
        package let spaceQuota = WireField<LenientInteger>("space_quota")
        package let spaceQuotaFormatted = WireField<String>("space_quota_formatted")
        /// Bytes.
        package let spaceUsage = WireField<LenientInteger>("space_usage")
        package let spaceUsageFormatted = WireField<String>("space_usage_formatted")
        package let canShare = WireField<Bool>("can_share")
        package let companyPolicy = WireField<WirePolicy>("company_policy")
        /// Whether the person administers the organization. Real servers send it, the document
        /// has it in the create call only.
        package let siteAdmin = WireField<Bool>("site_admin")
        /// Whether the person administers every organization.
        package let systemAdmin = WireField<Bool>("system_admin")
        package let mobilePhone = WireField<String>("mobile_phone")
        package let active = WireField<Bool>("active")
        package let created = WireField<WireTime>("created")
    }

    package static let names = Fields()
    package static var required: [String] { ["id", "email"] }

    package var fields: [String: JSONValue]

    package init(fields: [String: JSONValue]) { self.fields = fields }

    package init(id: Int64, email: String) {
        fields = ["type": .text("person"), "id": .integer(id), "email": .text(email)]
    }

    package var email: String {
        get { fields["email"].flatMap(String.init(json:)) ?? "" }
        set { fields["email"] = .text(newValue) }
    }
}

/// A guest object ("Gast-Objekt").
package struct WireGuest: WireObject {
    package struct Fields: Sendable {
        package let companyID = WireField<Int64>("company_id")
        /// The person who made the guest.
        package let creatorID = WireField<Int64>("creator_id")
        package let email = WireField<String>("email")
        package let firstName = WireField<String>("first_name")
        package let lastName = WireField<String>("last_name")
        package let active = WireField<Bool>("active")
        package let created = WireField<WireTime>("created")
    }

    package static let names = Fields()

    package var fields: [String: JSONValue]

    package init(fields: [String: JSONValue]) { self.fields = fields }

    package init(id: Int64) { fields = ["type": .text("guest"), "id": .integer(id)] }
}

/// A group object ("Gruppe-Objekt").
package struct WireGroup: WireObject {
    package struct Fields: Sendable {
        package let companyID = WireField<Int64>("company_id")
        package let name = WireField<String>("name")
        package let created = WireField<WireTime>("created")
        package let active = WireField<Bool>("active")
    }

    package static let names = Fields()

    package var fields: [String: JSONValue]

    package init(fields: [String: JSONValue]) { self.fields = fields }

    package init(id: Int64) { fields = ["type": .text("group"), "id": .integer(id)] }
}

/// The answer of a group's `members` call ("Gruppenmitglieder auflisten").
package struct WireMembers: WireObject {
    package struct Fields: Sendable {
        /// Persons that are members themselves.
        package let members = WireField<[Int64]>("members")
        /// Groups that are members themselves.
        package let memberGroups = WireField<[Int64]>("member_groups")
        /// Persons that are members of such a group, at any depth.
        package let membersFromGroup = WireField<[Int64]>("members_from_group")
        /// Groups that are members of such a group, at any depth.
        package let memberGroupsFromGroup = WireField<[Int64]>("member_groups_from_group")
    }

    package static let names = Fields()
    package static var required: [String] { [] }

    package var fields: [String: JSONValue]

    package init(fields: [String: JSONValue]) { self.fields = fields }
}
