package import CloudStorage
package import LeitzCloudAPI

/// A record to add. The document names no fields for the call; these are the object's.
package struct ActivityRequest: Sendable {
    package var kind: Int64?
    package var organization: Int64?
    package var person: Int64?
    package var machine: Int64?
    package var root: Int64?
    package var group: Int64?
    package var guest: Int64?
    /// What was acted on.
    package var subject: String?
    package var action: String?
    package var data: String?

    package init() {}

    var fields: [(String, String)] {
        var form = FormBuilder()
        form.add("activity_type_id", kind)
        form.add("acted_on_company_id", organization)
        form.add("acted_on_person_id", person)
        form.add("acted_on_machine_id", machine)
        form.add("acted_on_root_id", root)
        form.add("acted_on_group_id", group)
        form.add("acted_on_guest_id", guest)
        form.add("acted_on_text", subject)
        form.add("action_text", action)
        form.add("data_text", data)
        return form.fields
    }
}

// Source: API v2, "Aktivitäts-Methoden" and the lists of persons and organizations.
extension LeitzCloudClient {
    package func activityTypes() async throws(CloudStorageError) -> [WireActivityType] {
        let found: WireResult<[WireActivityType]> = try await fetch(
            "activity", AdministrationRoute.activityTypes)
        return found.results
    }

    package func activity(_ id: Int64) async throws(CloudStorageError) -> WireActivity {
        try await fetch("activity", AdministrationRoute.activity(id))
    }

    package func createActivity(
        _ request: ActivityRequest
    ) async throws(CloudStorageError) -> WireActivity {
        try await changing("activity", AdministrationRoute.createActivity, request.fields)
    }

    /// The newest first.
    package func activity(ofPerson id: Int64, from offset: Int64 = 0) -> PagedList<WireActivity> {
        list("activity", AdministrationRoute.person(id, "activity"), from: offset)
    }

    /// The newest first.
    package func activity(
        ofOrganization id: Int64, from offset: Int64 = 0
    ) -> PagedList<WireActivity> {
        list("activity", AdministrationRoute.organization(id, "activity"), from: offset)
    }
}
