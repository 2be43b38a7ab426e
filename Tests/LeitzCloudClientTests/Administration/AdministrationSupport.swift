import CloudStorage
import LeitzCloudAPI
import LeitzCloudClient
import TestSupport
import Testing

/// The organization that every server begins with.
let firstOrganization: Int64 = 1

extension LeitzCloudClient {
    /// A new person with the password `pw`, in an organization.
    func makePerson(
        _ email: String, in organization: Int64 = firstOrganization,
        _ change: (inout PersonRequest) -> Void = { _ in }
    ) async throws -> WirePerson {
        var request = PersonRequest()
        request.organization = organization
        request.email = email
        request.password = .given("pw")
        change(&request)
        return try await createPerson(request)
    }

    /// A new organization below the first.
    func makeOrganization(
        _ slug: String, _ change: (inout OrganizationRequest) -> Void = { _ in }
    ) async throws -> WireOrganization {
        var request = OrganizationRequest()
        request.name = slug.prefix(1).uppercased() + slug.dropFirst()
        request.email = "office@\(slug).example.com"
        request.slug = slug
        change(&request)
        return try await createOrganization(below: firstOrganization, request)
    }

    /// A new team share.
    func makeShare(
        _ name: String, in organization: Int64 = firstOrganization,
        _ change: (inout TeamShareRequest) -> Void = { _ in }
    ) async throws -> WireRoot {
        var request = TeamShareRequest()
        request.name = name
        change(&request)
        return try await createTeamShare(in: organization, request)
    }

    /// Uploads a small file into the top of a root.
    @discardableResult
    func put(_ name: String, size: Int = 1, in root: Int64) async throws -> CloudItem {
        try await upload(
            [UInt8](repeating: 7, count: size), name: name,
            to: .top(of: RootIdentifier(String(root))), from: TemporaryFolder("ordner-upload"))
    }

    /// The names of the caller's roots, as a mount sees them.
    func rootNames() async throws -> [String] {
        try await account().roots.map(\.name)
    }
}

extension PagedList {
    var all: [Element] {
        get async throws {
            var found: [Element] = []
            for try await element in self { found.append(element) }
            return found
        }
    }
}

/// Expects a call to be refused, with a word in the server's message.
func expectRefusal(
    _ kind: CloudStorageError.Kind, _ words: String = "",
    location: SourceLocation = #_sourceLocation, _ call: () async throws -> Void
) async {
    do {
        try await call()
        Issue.record("the call was not refused", sourceLocation: location)
    } catch let error as CloudStorageError {
        #expect(error.kind == kind, "\(error)", sourceLocation: location)
        #expect(
            words.isEmpty || "\(error)".contains(words), "\(error)", sourceLocation: location)
    } catch {
        Issue.record(error, sourceLocation: location)
    }
}
