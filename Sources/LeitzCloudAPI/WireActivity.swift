/// What somebody did ("Aktivitäts-Objekt").
package struct WireActivity: WireObject {
    package struct Fields: Sendable {
        /// `person`, `guest`, `machine`, …
        package let actorType = WireField<String>("actor_type")
        package let actor = WireField<String>("actor_text")
        package let actorCompanyID = WireField<Int64>("actor_company_id")
        package let actorMachineID = WireField<Int64>("actor_machine_id")
        package let actorPersonID = WireField<Int64>("actor_person_id")
        package let actorGuestID = WireField<Int64>("actor_guest_id")
        package let action = WireField<String>("action_text")
        /// `site`, `person`, `root`, …
        package let actedOnType = WireField<String>("acted_on_type")
        package let actedOn = WireField<String>("acted_on_text")
        package let actedOnCompanyID = WireField<Int64>("acted_on_company_id")
        package let actedOnMachineID = WireField<Int64>("acted_on_machine_id")
        package let actedOnPersonID = WireField<Int64>("acted_on_person_id")
        package let actedOnGuestID = WireField<Int64>("acted_on_guest_id")
        package let actedOnRootID = WireField<Int64>("acted_on_root_id")
        package let actedOnGroupID = WireField<Int64>("acted_on_group_id")
        package let data = WireField<String>("data_text")
        package let kindID = WireField<Int64>("activity_type_id")
        package let created = WireField<WireTime>("created")
        package let processed = WireField<Bool>("processed")
    }

    package static let names = Fields()

    package var fields: [String: JSONValue]

    package init(fields: [String: JSONValue]) { self.fields = fields }

    package init(id: Int64) { fields = ["type": .text("activity"), "id": .integer(id)] }
}

/// What can be done ("Aktivitätenart-Objekt").
package struct WireActivityType: WireObject {
    package struct Fields: Sendable {
        package let activity = WireField<String>("activity")
        package let isOfMachine = WireField<Bool>("machine_scope")
        package let isOfSystem = WireField<Bool>("system_scope")
        package let isOfUser = WireField<Bool>("user_scope")
    }

    package static let names = Fields()

    package var fields: [String: JSONValue]

    package init(fields: [String: JSONValue]) { self.fields = fields }
}
