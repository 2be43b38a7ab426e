import CloudStorage
import FileSystemTypes
import StateStore
import TestSupport
import Testing

import VirtualFileSystem

/// Locks by hand that are asked for wrongly, or that can't be taken up by the next run.
@Suite struct LockByHandTests {
    private static let path = ["Files", "a.odt"]

    private func fixture(
        _ cloud: ModelCloud = ModelCloud(), _ folder: TemporaryFolder? = nil
    ) async throws -> Fixture {
        try await Fixture.make(cloud: cloud, folder: folder) { options in
            options.synchronization = .none
            options.synchronizesInBackground = false
        }
    }

    /// A cloud and a state folder of a run that has crashed while it held a file's lock by hand; the
    /// time of that lock is over.
    private func crashed() async throws -> (ModelCloud, TemporaryFolder) {
        let cloud = ModelCloud()
        cloud.storeByOther([1], at: "/a.odt")
        let folder = try TemporaryFolder()
        let first = try await fixture(cloud, folder)
        try await first.fileSystem.lock(path: Self.path, seconds: nil)
        await first.end()
        cloud.endOwnLocks()
        return (cloud, folder)
    }

    private func locksByHand(_ fixture: Fixture) -> Int {
        fixture.fileSystem.knownLocks().count { $0.purpose == .command }
    }

    @Test(arguments: ["9223372036854775807", "315360001", "0", "-1", "x"])
    func aLockLastsTenYearsAtMost(_ seconds: String) async throws {
        let cloud = ModelCloud()
        cloud.storeByOther([1], at: "/a.odt")
        let fixture = try await fixture(cloud)
        let node = try await fixture.node("/a.odt")
        let byAttribute = await code { () async throws(FileSystemError) in
            try await fixture.fileSystem.setxattr(
                node: node, name: "user.ordner.lock", value: Array(seconds.utf8),
                replacement: .either
            ).value()
        }
        #expect(byAttribute == .invalidArgument)
        if let number = Int(seconds) {
            let byCommand = await code { () async throws(FileSystemError) in
                try await fixture.fileSystem.lock(path: Self.path, seconds: number)
            }
            #expect(byCommand == .invalidArgument)
        }
        #expect(cloud.ownLockCount == 0)
        await fixture.end()
    }
}
