import Foundation
import Testing

/// A folder of one test, removed with its last user.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/ordner-cache-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        // A cache that is still storing an index adds files meanwhile; a folder left behind in the
        // system's temporary folder fails no test.
        for _ in 0..<5 {
            do {
                return try FileManager.default.removeItem(atPath: path)
            } catch {
                continue
            }
        }
        print("could not remove \(path)")
    }

    func files(_ suffix: String, in folder: String = "blocks-v1") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)")
            .filter { $0.hasSuffix(suffix) }.map { "\(path)/\(folder)/\($0)" }
    }

    func write(_ bytes: [UInt8], to name: String) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
        return "\(path)/\(name)"
    }
}

/// Changes one byte of a file.
func spoil(_ path: String, at offset: UInt64) throws {
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    try file.seek(toOffset: offset)
    let byte = try #require(try file.read(upToCount: 1)?.first)
    try file.seek(toOffset: offset)
    try file.write(contentsOf: Data([byte ^ 0x55]))
    try file.close()
}

/// Waits until something other tasks and threads do has come about.
func eventually(_ what: Comment, _ condition: () -> Bool) async throws {
    let deadline = ContinuousClock.now + .seconds(20)
    while !condition() {
        try #require(ContinuousClock.now < deadline, what)
        await Task.yield()
    }
}

/// Shortens a file.
func truncateFile(_ path: String, to size: UInt64) throws {
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    try file.truncate(atOffset: size)
    try file.close()
}
