import AsyncHTTPClient
import Foundation
import LeitzCloudAPI
import LeitzCloudServer
import NIOCore
import NIOHTTP1
import Testing

@Suite struct SignInTests {
    private let grant = [
        ("grant_type", "password"), ("client_id", "anchor"), ("username", CloudHarness.email),
        ("password", CloudHarness.password),
    ]

    private func replacing(_ name: String, _ value: String) -> [(String, String)] {
        grant.map { $0.0 == name ? (name, value) : $0 }
    }

    @Test func aPasswordGrantAnswersAsDocumented() async throws {
        try await CloudHarness.run { harness async throws in
            let answer = try await harness.oauth(grant)
            #expect(answer.status == 200)
            let token = try answer.decode(WireToken.self)
            #expect(token.tokenType == "Bearer")
            #expect(token.scope == "full")
            #expect(token.expiresIn?.value == 3600)
            let guid = try #require(token.guid)
            let again = try await harness.oauth(grant + [("guid", guid)]).decode(WireToken.self)
            #expect(again.guid == guid)
            let foreign = try await harness.oauth(grant + [("guid", "made-up")])
            #expect(try foreign.decode(WireToken.self).guid != "made-up")
        }
    }

    @Test func fieldsMayComeAsQueryOrMultipart() async throws {
        try await CloudHarness.run { harness async throws in
            let query = try await harness.oauth(
                [], path: "/oauth/token?" + CloudHarness.encode(grant))
            #expect(query.status == 200)
            var request = harness.request("/oauth/token", isAnonymous: true)
            request.method = .POST
            request.headers.add(name: "content-type", value: "multipart/form-data; boundary=\"b\"")
            let parts = grant.map {
                "--b\r\nContent-Disposition: form-data; name=\"\($0.0)\"\r\n\r\n\($0.1)\r\n"
            }
            request.body = .bytes(ByteBuffer(string: parts.joined() + "--b--\r\n"))
            #expect(try await harness.send(request).status == 200)
        }
    }

    @Test func aRefreshTokenWorksOnce() async throws {
        try await CloudHarness.run { harness async throws in
            let first = try await harness.oauth(grant).decode(WireToken.self)
            let refresh = [
                ("grant_type", "refresh_token"), ("client_id", "anchor"),
                ("refresh_token", try #require(first.refreshToken)),
            ]
            let second = try await harness.oauth(refresh).decode(WireToken.self)
            #expect(second.refreshToken != first.refreshToken)
            #expect(second.guid == first.guid)
            #expect(
                try await harness.get("/api/2/person", token: second.accessToken).status == 200)
            #expect(try await harness.oauth(refresh).failure == "400 invalid_grant")
        }
    }

    @Test func accessTokensExpireAndRefreshTokensOutliveThem() async throws {
        try await CloudHarness.run { harness async throws in
            let token = try await harness.oauth(grant).decode(WireToken.self)
            harness.clock.advance(3601)
            #expect(
                try await harness.get("/api/2/person", token: token.accessToken).failure
                    == "401 access_denied")
            let refreshed = try await harness.oauth([
                ("grant_type", "refresh_token"), ("client_id", "anchor"),
                ("refresh_token", try #require(token.refreshToken)),
            ])
            #expect(refreshed.status == 200)
        }
    }

    @Test func wrongRequestsAreNamed() async throws {
        try await CloudHarness.run { harness async throws in
            #expect(
                try await harness.oauth(replacing("password", "no")).failure == "400 invalid_grant")
            #expect(
                try await harness.oauth(replacing("username", "x@y")).text.contains(
                    "Invalid credentials given."))
            #expect(
                try await harness.oauth(replacing("client_id", "x")).failure
                    == "401 invalid_client")
            #expect(
                try await harness.oauth(replacing("grant_type", "x")).failure
                    == "400 unsupported_grant_type")
            #expect(
                try await harness.oauth(grant.filter { $0.0 != "client_id" }).text.contains(
                    "Missing required parameter: client_id"))
            #expect(try await harness.get("/oauth/token").failure == "405 method_not_allowed")
        }
    }

    @Test func theSecondStepIsAskedFor() async throws {
        try await CloudHarness.run { harness async throws in
            try await harness.cloud.setTwoStepCode(
                person: harness.person, mode: "authenticator", code: "123456")
            let asked = try await harness.oauth(grant)
            #expect(asked.failure == "401 missing_totp")
            #expect(try asked.decode(WireError.self).twoStepMode == "authenticator")
            let wrong = try await harness.oauth(grant + [("auth_code", "1")])
            #expect(wrong.text.contains("Invalid authentication code."))
            #expect(try await harness.oauth(grant + [("auth_code", "123456")]).status == 200)
            try await harness.cloud.setTwoStepCode(
                person: harness.person, mode: "authenticator", code: nil)
            #expect(try await harness.oauth(grant).status == 200)
        }
    }

    @Test func tenFailuresLockTheAccountForATime() async throws {
        try await CloudHarness.run { harness async throws in
            for _ in 0..<10 {
                #expect(try await harness.oauth(replacing("password", "no")).status == 400)
            }
            let locked = try await harness.oauth(grant)
            #expect(locked.status == 400)
            #expect(
                locked.text.contains(
                    "Account temporarily locked due to repeated failed login attempts."))
            harness.clock.advance(15 * 60 + 1)
            #expect(try await harness.oauth(grant).status == 200)
        }
    }

    @Test func revokedTokensAreWorthNothing() async throws {
        try await CloudHarness.run { harness async throws in
            let token = try await harness.oauth(grant).decode(WireToken.self)
            let refresh = try #require(token.refreshToken)
            let answer = try await harness.oauth(
                [
                    ("client_id", "anchor"), ("token", refresh),
                    ("token_type_hint", "refresh_token"),
                ], path: "/oauth/revoke")
            #expect(answer.status == 200)
            #expect(
                try await harness.get("/api/2/person", token: token.accessToken).failure
                    == "401 access_denied")
            let again = try await harness.oauth([
                ("grant_type", "refresh_token"), ("client_id", "anchor"),
                ("refresh_token", refresh),
            ])
            #expect(again.failure == "400 invalid_grant")
        }
    }

    @Test func aNewPasswordReplacesTheOld() async throws {
        try await CloudHarness.run { harness async throws in
            let id = try await harness.cloud.ensurePerson(
                email: CloudHarness.email, password: "neu", displayName: "Anna", quota: 5)
            #expect(id == harness.person)
            #expect(try await harness.oauth(grant).failure == "400 invalid_grant")
            #expect(try await harness.oauth(replacing("password", "neu")).status == 200)
        }
    }
}
