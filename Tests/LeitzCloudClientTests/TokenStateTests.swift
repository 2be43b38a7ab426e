import LeitzCloudClient
import Testing

@Suite struct TokenStateTests {
    private func credentials(_ name: String, from now: Int64 = 0) -> LeitzCloudCredentials {
        var credentials = LeitzCloudCredentials(
            url: "https://a.example", user: "u", accessToken: "access-\(name)",
            refreshToken: "refresh-\(name)", expiry: now + 3_600)
        credentials.renewal = now + 1_800
        return credentials
    }

    private func loaded() -> TokenState {
        var state = TokenState()
        _ = state.request(now: 0)
        state.didLoad(credentials("1"), refused: nil)
        return state
    }

    @Test func theFirstRequestReadsTheStoreAndOthersJoin() {
        var state = TokenState()
        #expect(state.request(now: 0) == .start(.load))
        #expect(state.request(now: 0) == .join)
        state.didLoad(credentials("1"), refused: nil)
        #expect(state.request(now: 0) == .use("access-1"))
    }

    @Test func anUnreadableStoreIsReadAgain() {
        var state = TokenState()
        _ = state.request(now: 0)
        state.didFailToLoad(refused: nil)
        #expect(state.request(now: 0) == .start(.load))
    }

    @Test func renewsAtHalfItsLifeOnceForAll() {
        var state = loaded()
        #expect(state.request(now: 1_799) == .use("access-1"))
        #expect(state.request(now: 1_800) == .start(.refresh(credentials("1"))))
        #expect(state.request(now: 1_800) == .join)
        state.didRefresh(credentials("2", from: 1_800), now: 1_800)
        state.didSave()
        #expect(state.request(now: 1_801) == .use("access-2"))
    }

    @Test func newTokensAreNotUsedBeforeTheyAreSaved() {
        var state = loaded()
        _ = state.request(now: 2_000)
        let renewed = credentials("2", from: 2_000)
        state.didRefresh(renewed, now: 2_000)
        #expect(state.usable(now: 2_000) == nil)
        #expect(state.request(now: 2_000) == .start(.save(renewed)))
        #expect(state.request(now: 2_000) == .join)
        state.didFailToSave()
        #expect(state.request(now: 2_001) == .start(.save(renewed)))
        state.didSave()
        #expect(state.request(now: 2_001) == .use("access-2"))
    }

    @Test func aRenewalThatFailedForNowIsNotRepeatedAtOnce() {
        var state = loaded()
        _ = state.request(now: 2_000)
        state.didFailToRefresh(now: 2_000)
        #expect(state.usable(now: 2_000) == "access-1")
        #expect(state.request(now: 2_001) == .use("access-1"))
        #expect(
            state.request(now: 2_000 + TokenState.pause) == .start(.refresh(credentials("1"))))
        state.didFailToRefresh(now: 2_010)
        // Once it has ended there is nothing to lose by asking.
        #expect(state.usable(now: 3_600) == nil)
        #expect(state.request(now: 3_600) == .start(.refresh(credentials("1"))))
    }

    @Test func oneOfMany401sRenews() {
        var state = loaded()
        #expect(state.rejected("access-1", now: 10) == .start(.refresh(credentials("1"))))
        #expect(state.rejected("access-1", now: 10) == .join)
        state.didRefresh(credentials("2", from: 10), now: 10)
        state.didSave()
        // A late one, of the old token.
        #expect(state.rejected("access-1", now: 11) == .use("access-2"))
    }

    @Test func aTokenThatWasJustGivenIsNotRenewedAgain() {
        var state = loaded()
        _ = state.rejected("access-1", now: 10)
        state.didRefresh(credentials("2", from: 10), now: 10)
        state.didSave()
        guard case .refuse = state.rejected("access-2", now: 11) else {
            Issue.record("the sign-in address is hammered")
            return
        }
        #expect(
            state.rejected("access-2", now: 10 + TokenState.young)
                == .start(.refresh(credentials("2", from: 10))))
    }

    @Test func aRefusedRefreshTokenIsNeverSentAgain() {
        var state = loaded()
        _ = state.request(now: 2_000)
        state.didLoad(credentials("1"), refused: "invalid_grant")
        var refreshes = 0
        for now in Int64(2_000)..<2_100 {
            switch state.request(now: now) {
            case .start(.reload(let reason)): state.didLoad(credentials("1"), refused: reason)
            case .refuse(let reason): #expect(reason == "invalid_grant")
            default: refreshes += 1
            }
        }
        #expect(refreshes == 0)
    }

    @Test func newCredentialsEndTheRefusal() {
        var state = loaded()
        _ = state.request(now: 2_000)
        state.didRefuseRefresh("invalid_grant")
        #expect(state.request(now: 2_000) == .start(.reload(refused: "invalid_grant")))
        state.didLoad(credentials("9", from: 2_000), refused: "invalid_grant")
        #expect(state.request(now: 2_000) == .use("access-9"))
    }

    @Test func theStoreIsNotReadForEveryRefusedRequest() {
        var state = loaded()
        _ = state.request(now: 2_000)
        state.didRefuseRefresh("no")
        _ = state.request(now: 2_000)
        state.didFailToLoad(refused: "no")
        #expect(state.request(now: 2_000) == .refuse("no"))
        #expect(state.request(now: 2_001) == .refuse("no"))
        #expect(state.request(now: 2_002) == .start(.reload(refused: "no")))
    }
}
