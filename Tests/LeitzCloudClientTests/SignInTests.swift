import CloudStorage
import HTTPTransport
import LeitzCloudClient
import LeitzCloudServer
import TestSupport
import Testing

@Suite struct SignInTests {
    @Test func aServerOfThisKindIsRecognised() async throws {
        try await TestCloud.with { cloud in
            let transport = try cloud.transport()
            let version = try await LeitzCloudSignIn.detect(cloud.address, transport: transport)
            #expect(version == "2.0.9")
            let elsewhere = try ServerAddress(cloud.server.url + "/elsewhere")
            #expect(try await LeitzCloudSignIn.detect(elsewhere, transport: transport) == nil)
        }
    }

    @Test func aWrongPasswordIsSaidToBeOneAndTriedOnce() async throws {
        try await TestCloud.with { cloud in
            let transport = try cloud.transport()
            let request = SignInRequest(
                address: try cloud.address, user: "alice@example.com", password: "wrong")
            do throws(SignInError) {
                _ = try await LeitzCloudSignIn.signIn(request, transport: transport)
                Issue.record("a wrong password was taken")
            } catch {
                guard case .wrongCredentials(let message) = error else { throw error }
                #expect(message.contains("Invalid credentials"))
            }
            #expect(cloud.server.requestCounts()["POST token"] == 1)
        }
    }

    @Test func theSecondStepIsAskedForAndTaken() async throws {
        try await TestCloud.with { cloud in
            let person = try await cloud.server.ensurePerson(
                email: "carol@example.com", password: "pw", displayName: "Carol", quota: 1)
            try await cloud.server.setTwoStepCode(person: person, mode: "sms", code: "123456")
            let transport = try cloud.transport()
            var request = SignInRequest(
                address: try cloud.address, user: "carol@example.com", password: "pw")
            do throws(SignInError) {
                _ = try await LeitzCloudSignIn.signIn(request, transport: transport)
                Issue.record("the second step was not asked for")
            } catch {
                guard case .twoStepRequired(let mode) = error else { throw error }
                #expect(mode == "sms")
            }
            request.authCode = "123456"
            let credentials = try await LeitzCloudSignIn.signIn(request, transport: transport)
            #expect(credentials.guid?.isEmpty == false)
            request.guid = credentials.guid
            let again = try await LeitzCloudSignIn.signIn(request, transport: transport)
            #expect(again.guid == credentials.guid)
        }
    }

    @Test func anUntrustedCertificateIsRefused() async throws {
        try await TestCloud.with { cloud in
            let transport = try HTTPTransport()
            let kind = try await failureKind {
                _ = try await LeitzCloudSignIn.detect(cloud.address, transport: transport)
            }
            #expect(kind == .unreachable)
        }
    }
}

@Suite struct TokenTests {
    @Test func aRefusedTokenIsRenewedOnceForAllAndSaved() async throws {
        try await TestCloud.with { cloud in
            let store = MemoryCredentialStore()
            let client = try await cloud.client(.alice, store: store)
            let before = try #require(store.credentials)
            _ = try await client.account()
            cloud.server.resetRequestCounts()
            cloud.server.faults.add(FaultRule(.expireToken, routeKind: "root", times: 6))
            let top = ItemReference.top(of: cloud.team)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<6 { group.addTask { _ = try await client.entries(of: top) } }
                try await group.waitForAll()
            }
            #expect(cloud.server.requestCounts()["POST token"] == 1)
            #expect(store.saveCount == 1)
            #expect(store.credentials?.refreshToken != before.refreshToken)
            #expect(store.credentials?.guid == before.guid)
        }
    }

    @Test func tokensAreRenewedAtHalfTheirLife() async throws {
        try await TestCloud.with { cloud in
            let store = MemoryCredentialStore()
            let client = try await cloud.client(.alice, store: store)
            var aged = try #require(store.credentials)
            aged.renewal = 0
            store.credentials = aged
            _ = try await client.account()
            #expect(store.saveCount == 1)
            _ = try await client.account()
            #expect(store.saveCount == 1)
        }
    }

    @Test func aDeadRefreshTokenIsSentOnce() async throws {
        try await TestCloud.with { cloud in
            let store = MemoryCredentialStore()
            let client = try await cloud.client(.alice, store: store)
            var dead = try #require(store.credentials)
            dead.accessToken = "stale"
            dead.refreshToken = "stale"
            store.credentials = dead
            cloud.server.resetRequestCounts()
            for _ in 0..<20 {
                #expect(
                    try await failureKind { _ = try await client.account() } == .signInRequired)
            }
            #expect(cloud.server.requestCounts()["POST token"] == 1)
        }
    }

    @Test func aRevokedSessionNeedsANewSignIn() async throws {
        try await TestCloud.with { cloud in
            let store = MemoryCredentialStore()
            let client = try await cloud.client(.alice, store: store)
            _ = try await client.account()
            let transport = try cloud.transport()
            try await LeitzCloudSignIn.revoke(
                try #require(store.credentials), transport: transport)
            #expect(try await failureKind { _ = try await client.account() } == .signInRequired)
            let renewed = try await cloud.credentials(of: .alice, transport: transport)
            store.credentials = renewed
            try await eventually(within: .seconds(5), "the new sign-in is seen") {
                try await failureKind { _ = try await client.account() } == nil
            }
        }
    }

    @Test func newTokensThatCannotBeSavedAreNotLost() async throws {
        try await TestCloud.with { cloud in
            let store = MemoryCredentialStore()
            let client = try await cloud.client(.alice, store: store)
            var aged = try #require(store.credentials)
            aged.expiry = 0
            aged.renewal = 0
            store.credentials = aged
            store.failSaves(1)
            #expect(try await failureKind { _ = try await client.account() } == .localFile)
            _ = try await client.account()
            #expect(store.saveCount == 1)
            #expect(store.credentials?.refreshToken != aged.refreshToken)
        }
    }
}
