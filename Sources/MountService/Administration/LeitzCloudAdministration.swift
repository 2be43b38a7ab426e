import CloudStorage
import LeitzCloudAPI
import LeitzCloudClient

/// The administration of one organization of a LeitzCloud.
struct LeitzCloudAdministration: Administration {
    let client: LeitzCloudClient
    /// The organization that commands are about.
    let organization: Int64

    var cloud: String { "LeitzCloud" }
    var users: (any UserAdministration)? { self }
    var groups: (any GroupAdministration)? { self }
    var organizations: (any OrganizationAdministration)? { self }
    var teamShares: (any TeamShareAdministration)? { self }
    var guests: (any GuestAdministration)? { self }
    var machines: (any MachineAdministration)? { self }
    var activity: (any ActivityAdministration)? { self }
    var usage: (any UsageAdministration)? { self }
    var links: (any LinkAdministration)? { self }

    /// - Parameter organization: nil for that of the person who is signed in.
    static func open(
        _ client: LeitzCloudClient, organization: Int64?
    ) async throws(ServiceFailure) -> LeitzCloudAdministration {
        if let organization {
            return LeitzCloudAdministration(client: client, organization: organization)
        }
        let person = try await asking { () async throws(CloudStorageError) in
            try await client.person()
        }
        guard let own = person.companyID else {
            throw ServiceFailure(
                "the server does not say what organization \(person.email) is in",
                remedy: "Name it with --org NUMBER.")
        }
        return LeitzCloudAdministration(client: client, organization: own)
    }

    /// Runs a call; what the server refuses is said in its own words.
    static func asking<Value>(
        _ call: () async throws(CloudStorageError) -> Value
    ) async throws(ServiceFailure) -> Value {
        do throws(CloudStorageError) { return try await call() } catch {
            throw failure(error)
        }
    }

    func asking<Value>(
        _ call: () async throws(CloudStorageError) -> Value
    ) async throws(ServiceFailure) -> Value {
        try await Self.asking(call)
    }

    /// As `asking`, but nil where there is no such thing.
    func looking<Value>(
        _ call: () async throws(CloudStorageError) -> Value
    ) async throws(ServiceFailure) -> Value? {
        do throws(CloudStorageError) { return try await call() } catch {
            if error.kind == .notFound { return nil }
            throw Self.failure(error)
        }
    }

    private static func failure(_ error: CloudStorageError) -> ServiceFailure {
        let remedy: String? =
            switch error.kind {
            case .forbidden: "The account has no right to do that; an administrator has."
            case .signInRequired: "Sign in again with: ordner login NAME URL"
            default: nil
            }
        return ServiceFailure("the server refused it: \(error.message)", remedy: remedy)
    }

    /// A page as records.
    func page<Element>(
        _ list: PagedList<Element>, _ offset: Int64,
        _ record: (Element) -> AdministrationRecord
    ) async throws(ServiceFailure) -> RecordPage {
        let page = try await asking { () async throws(CloudStorageError) in
            try await list.firstPage()
        }
        let end = offset + Int64(page.results.count)
        let isLast = page.results.isEmpty || page.total.map { end >= $0 } ?? false
        return RecordPage(
            records: page.results.map(record), total: page.total, next: isLast ? nil : end)
    }

    /// The one object of a list that goes by a name, or by a number.
    ///
    /// - Parameter kind: for the message where there is none, or more than one.
    func find<Element>(
        _ name: String, in list: PagedList<Element>, _ kind: String,
        _ nameOf: (Element) -> String?
    ) async throws(ServiceFailure) -> Element {
        let found: [Element] = try await asking { () async throws(CloudStorageError) in
            var found: [Element] = []
            for try await element in list where nameOf(element) == name {
                found.append(element)
                if found.count > 1 { break }
            }
            return found
        }
        guard let one = found.first else { throw ServiceFailure("there is no \(kind) '\(name)'") }
        guard found.count == 1 else {
            throw ServiceFailure(
                "there is more than one \(kind) '\(name)'", remedy: "Use the number instead.")
        }
        return one
    }

    /// Changes a list that can only be written whole: reads it, writes it, and looks whether the
    /// change is in it. Who else wrote in between had read a list without it, so that it is made
    /// once more, a few times.
    ///
    /// - Parameter isThere: whether a list has the change.
    func settle<List>(
        _ what: String, read: () async throws(ServiceFailure) -> List,
        isThere: (List) -> Bool, write: (List) async throws(ServiceFailure) -> Void
    ) async throws(ServiceFailure) {
        var list = try await read()
        for _ in 0..<Self.mostTries {
            try await write(list)
            list = try await read()
            if isThere(list) { return }
        }
        throw ServiceFailure(
            "the server takes the change of \(what) and does not show it afterwards",
            remedy: "Somebody else may be changing it too; look, and try again.")
    }

    private static let mostTries = 5

    static func bytes(_ count: Int64?) -> String {
        guard let count else { return "" }
        var value = Double(count)
        var unit = 0
        let units = ["B", "KB", "MB", "GB", "TB", "PB"]
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return unit == 0 ? "\(count) B" : "\((value * 10).rounded() / 10) \(units[unit])"
    }
}
