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

    deinit {
        do {
            try FileManager.default.removeItem(atPath: path)
        } catch {
            Issue.record(error, "\(path) could not be removed")
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
