import FoundationEssentials
import Testing

/// A folder of its own for one test, removed with everything in it when the value is dropped.
///
/// A folder that can't be removed fails the tests: whatever still writes there outlived its test.
package final class TemporaryFolder: Sendable {
    package let path: String

    /// Makes the folder below the system's temporary folder.
    package init(_ name: String = "ordner-test") throws {
        path =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("\(name)-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    /// Makes a copy of all that a folder has: what is still open there is not open here.
    package init(copyOf other: TemporaryFolder) throws {
        path =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("ordner-test-\(UUID().uuidString)").path
        try FileManager.default.copyItem(atPath: other.path, toPath: path)
    }

    deinit {
        // A database that is let go of at the same time removes its log itself.
        for attempt in 1...10 {
            do {
                try FileManager.default.removeItem(atPath: path)
                return
            } catch let error as CocoaError where error.code == .fileNoSuchFile && attempt < 10 {
                continue
            } catch {
                Issue.record(error, "\(path) could not be removed")
                return
            }
        }
    }

    /// The path of a name in the folder.
    package func file(_ name: String) -> String { path + "/" + name }

    /// Writes a file and returns its path.
    @discardableResult
    package func write(_ bytes: [UInt8], to name: String) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
        return file(name)
    }
}
