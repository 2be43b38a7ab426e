import LeitzCloudServer
import TestSupport

/// An embedded cloud in the test's process, with one person.
struct CloudFixture: Sendable {
    static let user = "me@example.com"
    static let password = "correct horse battery"

    let cloud: EmbeddedCloud
    let person: Int64

    /// Starts a cloud for the time of `body`.
    static func with(
        _ home: PrivateHome, passwordCost: Int = 14, _ body: (CloudFixture) async throws -> Void
    ) async throws {
        var configuration = EmbeddedCloudConfiguration(dataFolder: home.path + "/cloud")
        configuration.passwordCost = passwordCost
        let cloud = try await EmbeddedCloud.start(configuration)
        do {
            let person = try await cloud.ensurePerson(
                email: user, password: password, displayName: "Me", quota: 1 << 30, ownRoot: true)
            try await body(CloudFixture(cloud: cloud, person: person))
        } catch {
            await cloud.stop()
            throw error
        }
        await cloud.stop()
    }

    var tokenRequests: Int {
        cloud.requestCounts().filter { $0.key.contains("token") }.map(\.value).reduce(0, +)
    }

    /// `ordner login NAME` with the right address and certificate.
    func login(
        _ name: String, in home: PrivateHome, password: String = Self.password,
        _ more: [String] = []
    ) async throws -> Outcome {
        let arguments =
            [
                "login", name, cloud.url, "--ca", cloud.certificatePath, "--user", Self.user,
                "--password-stdin",
            ] + more
        return try await RunningProgram(arguments, home: home, input: password + "\n").end()
    }
}
