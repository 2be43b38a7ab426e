import CloudStorage
import LeitzCloudClient
import TestSupport
import Testing

/// A person's own locks on roots, which are nobody else's.
@Suite struct OwnLockTests {
    @Test func aRootThatThisClientHasLockedIsNotLockedBySomebodyElse() async throws {
        try await TestCloud.with { cloud in
            let client = try await cloud.client(.alice)
            func isLocked() async throws -> Bool? {
                try await client.account().roots.first { $0.id == cloud.team }?.isLocked
            }
            try await client.lock(.top(of: cloud.team), seconds: 60)
            #expect(try await isLocked() == false)
            try await client.unlock(.top(of: cloud.team))
            let bob = try await cloud.client(.bob)
            try await bob.lock(.top(of: cloud.team), seconds: 60)
            #expect(try await isLocked() == true)
            try await bob.unlock(.top(of: cloud.team))
        }
    }
}
