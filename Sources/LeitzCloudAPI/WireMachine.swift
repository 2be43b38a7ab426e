/// A machine object ("Gerät-Objekt").
package struct WireMachine: WireObject {
    package struct Fields: Sendable {
        package let name = WireField<String>("dns_name")
        package let nickname = WireField<String>("nickname")
        package let lastLogin = WireField<WireTime>("last_login")
        package let guid = WireField<String>("guid")
        package let created = WireField<WireTime>("created")
        /// `win`, `osx`, `android`, `ios`, `winphone`, `linux`, …
        package let system = WireField<String>("os_type")
        package let systemVersion = WireField<String>("os_version")
        package let agentVersion = WireField<String>("agent_version")
        package let locked = WireField<Bool>("locked")
        package let bandwidthThrottle = WireField<LenientInteger>("bandwidth_throttle")
        package let throttleExceptionDays = WireField<String>("throttle_exception_days")
        package let throttleExceptionWeekdays = WireField<[Int64]>("throttle_exception_dow")
        package let throttleExceptionStart = WireField<String>("throttle_exception_start")
        package let throttleExceptionEnd = WireField<String>("throttle_exception_end")
        package let throttleExceptionThrottle = WireField<LenientInteger>(
            "throttle_exception_throttle")
        package let throttled = WireField<Bool>("throttled")
        /// `mobile`, `agent`, …
        package let kind = WireField<String>("machine_type")
        package let lastDisconnect = WireField<WireTime>("last_disconnect")
        package let healthReportMinutes = WireField<LenientInteger>("health_report_period_minutes")
        package let manualCollisions = WireField<Bool>("manual_collisions")
        /// Whether a file server is enabled on the machine, and whose it is: real servers' fields,
        /// not in the document.
        package let isServer = WireField<Bool>("file_server")
        package let personID = WireField<Int64>("person_id")
    }

    package static let names = Fields()

    package var fields: [String: JSONValue]

    package init(fields: [String: JSONValue]) { self.fields = fields }

    package init(id: Int64) { fields = ["type": .text("machine"), "id": .integer(id)] }
}

/// What a machine does ("Den Status des Gerätes abfragen").
package struct WireMachineStatus: WireObject {
    package struct Fields: Sendable {
        package let subscriptions = WireField<[WireMachineSubscription]>("subscriptions")
        package let synced = WireField<Bool>("synced")
        package let transfers = WireField<[JSONValue]>("transfers")
    }

    package static let names = Fields()
    package static var required: [String] { [] }

    package var fields: [String: JSONValue]

    package init(fields: [String: JSONValue]) { self.fields = fields }
}

/// A folder that a machine keeps in step with a root.
package struct WireMachineSubscription: WireObject {
    package struct Fields: Sendable {
        /// Files that the policy keeps out.
        package let excludedFiles = WireField<Int64>("excl_files")
        package let subscriptionID = WireField<Int64>("rsub_id")
        package let synced = WireField<Bool>("synced")
        package let folder = WireField<String>("synced_folder")
    }

    package static let names = Fields()
    package static var required: [String] { [] }

    package var fields: [String: JSONValue]

    package init(fields: [String: JSONValue]) { self.fields = fields }
}

/// A folder of a file server that a root is mapped to ("Geräte-mapping-Objekt").
package struct WireMapping: WireObject {
    package struct Fields: Sendable {
        package let machineID = WireField<Int64>("machine_id")
        package let name = WireField<String>("name")
        package let path = WireField<String>("path")
        /// The owner, where the root is a person's own.
        package let personID = WireField<Int64>("person_id")
        package let rootID = WireField<Int64>("root_id")
        package let isShare = WireField<Bool>("share")
    }

    package static let names = Fields()

    package var fields: [String: JSONValue]

    package init(fields: [String: JSONValue]) { self.fields = fields }

    package init(id: Int64) { fields = ["type": .text("machine_mapping"), "id": .integer(id)] }
}

/// A backup of a folder of a file server ("Backup-Objekt"); its id is that of its root.
package struct WireBackup: WireObject {
    package struct Fields: Sendable {
        package let machineID = WireField<Int64>("machine_id")
        package let path = WireField<String>("path")
    }

    package static let names = Fields()

    package var fields: [String: JSONValue]

    package init(fields: [String: JSONValue]) { self.fields = fields }

    package init(id: Int64) { fields = ["type": .text("backup"), "id": .integer(id)] }
}
