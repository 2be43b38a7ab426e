/// An organization object ("Organisations-Objekt").
package struct WireOrganization: WireObject {
    package struct Fields: Sendable {
        package let parentID = WireField<Int64>("parent_id")
        package let name = WireField<String>("name")
        /// The name in addresses.
        package let slug = WireField<String>("slug")
        package let description = WireField<String>("description")
        package let email = WireField<String>("email")
        package let hostname = WireField<String>("hostname")
        package let policy = WireField<WirePolicy>("policy")
        package let created = WireField<WireTime>("created")
        package let emailServerID = WireField<Int64>("email_server_id")
        package let bandwidthThrottle = WireField<LenientInteger>("bandwidth_throttle")
        package let throttleExceptionStart = WireField<String>("throttle_exception_start")
        package let throttleExceptionEnd = WireField<String>("throttle_exception_end")
        package let throttleExceptionWeekdays = WireField<[Int64]>("throttle_exception_dow")
        package let throttleExceptionDays = WireField<String>("throttle_exception_days")
        package let throttleExceptionThrottle = WireField<LenientInteger>(
            "throttle_exception_throttle")
        package let throttled = WireField<Bool>("throttled")
        package let active = WireField<Bool>("active")
        package let planID = WireField<Int64>("plan_id")
        package let trialUntil = WireField<WireTime>("trial_until")
        package let subscriptionUUID = WireField<String>("subscription_uuid")
        package let shareDisclaimer = WireField<String>("share_disclaimer")
        package let defaultEncryption = WireField<LenientInteger>("default_encryption")
        package let emailTemplates = WireField<Bool>("email_templates")
        package let privacyMode = WireField<Bool>("privacy_mode")
        /// The second name of the object's address. The document's object doesn't have it.
        package let licenseKey = WireField<String>("license_key")
    }

    package static let names = Fields()

    package var fields: [String: JSONValue]

    package init(fields: [String: JSONValue]) { self.fields = fields }

    package init(id: Int64) { fields = ["type": .text("organization"), "id": .integer(id)] }
}

/// What an organization uses ("Nutzungsobjekt der Organisation").
package struct WireUsage: WireObject {
    package struct Fields: Sendable {
        package let backups = WireField<WireSpaceUsage>("backup_space_usage")
        package let counts = WireField<WireUsageCounts>("counts")
        package let teamShares = WireField<WireSpaceUsage>("team_share_space_usage")
        package let total = WireField<WireSpaceUsage>("total_space_usage")
        package let users = WireField<WireSpaceUsage>("user_space_usage")
    }

    package static let names = Fields()
    package static var required: [String] { [] }

    package var fields: [String: JSONValue]

    package init(fields: [String: JSONValue]) { self.fields = fields }
}

/// How many of each there are ("Organizations Nutzungszähler Objekt").
package struct WireUsageCounts: WireObject {
    package struct Fields: Sendable {
        package let accounts = WireField<Int64>("accounts")
        package let adminAccounts = WireField<Int64>("admin_accounts")
        package let groups = WireField<Int64>("groups")
        package let guests = WireField<Int64>("guests")
        package let machines = WireField<Int64>("machines")
        package let organizations = WireField<Int64>("organizations")
    }

    package static let names = Fields()
    package static var required: [String] { [] }

    package var fields: [String: JSONValue]

    package init(fields: [String: JSONValue]) { self.fields = fields }
}

/// The space that some roots take ("Root-Space Nutzungs Objekt"); sizes in bytes.
package struct WireSpaceUsage: WireObject {
    package struct Fields: Sendable {
        package let deletedFileCount = WireField<Int64>("del_file_count")
        package let deletedRevisionCount = WireField<Int64>("del_revision_count")
        /// Of all revisions of the deleted files.
        package let deletedSize = WireField<Int64>("deleted_size")
        package let deletedSizeFormatted = WireField<String>("deleted_size_formatted")
        /// The deleted ones among them.
        package let fileCount = WireField<Int64>("file_count")
        /// Of the current content of the files that are not deleted.
        package let headSize = WireField<Int64>("head_size")
        package let headSizeFormatted = WireField<String>("head_size_formatted")
        /// The sum of `headSize`, `revisionSize` and `deletedSize`, as in the document's sample.
        package let physicalSize = WireField<Int64>("physical_size")
        package let physicalSizeFormatted = WireField<String>("physical_size_formatted")
        package let revisionCount = WireField<Int64>("revision_count")
        /// Of earlier content of the files that are not deleted.
        package let revisionSize = WireField<Int64>("revision_size")
        package let revisionSizeFormatted = WireField<String>("revision_size_formatted")
        package let rootCount = WireField<Int64>("root_count")
    }

    package static let names = Fields()
    package static var required: [String] { [] }

    package var fields: [String: JSONValue]

    package init(fields: [String: JSONValue]) { self.fields = fields }
}

/// A directory server from which users are imported ("Authentifizierungs-Quellobjekt").
package struct WireAuthSource: WireObject {
    package struct Fields: Sendable {
        package let host = WireField<String>("host")
        package let domain = WireField<String>("domain")
        package let login = WireField<String>("login")
        package let port = WireField<Int64>("port")
        package let `protocol` = WireField<Int64>("protocol")
        package let ssl = WireField<Bool>("ssl")
        package let machineID = WireField<Int64>("machine_id")
    }

    package static let names = Fields()

    package var fields: [String: JSONValue]

    package init(fields: [String: JSONValue]) { self.fields = fields }
}
