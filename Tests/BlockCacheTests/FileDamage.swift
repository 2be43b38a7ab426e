import Foundation
import TestSupport
import Testing

extension TemporaryFolder {
    /// The cache's files of one sort.
    func files(_ suffix: String, in folder: String = "blocks-v1") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: file(folder))
            .filter { $0.hasSuffix(suffix) }.map { file("\(folder)/\($0)") }
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

/// Shortens a file.
func truncateFile(_ path: String, to size: UInt64) throws {
    let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
    try file.truncate(atOffset: size)
    try file.close()
}
