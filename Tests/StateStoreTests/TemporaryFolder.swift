import Foundation

/// A folder that is removed with everything in it when the test lets go of it.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "ordner-state-" + UUID().uuidString
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// What a crash at this moment would leave on the disk: the files without the lock.
    func copyAsAfterCrash(of state: String) throws -> String {
        let copy = path + "/crash-" + UUID().uuidString
        try FileManager.default.copyItem(atPath: state, toPath: copy)
        return copy
    }

    func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }
}
