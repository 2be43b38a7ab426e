import CloudStorage
import Foundation
import TestSupport

/// A folder of the cloud as another client sees it.
enum RemoteTree {
    /// Downloads a folder with all that is in it; answers how many files there were.
    static func download(
        _ client: some CloudStorage, _ folder: ItemReference, to path: String
    ) async throws -> Int {
        try FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
        var count = 0
        for (name, item) in try await client.entries(of: folder) {
            if item.reference.isFolder {
                count += try await download(client, item.reference, to: path + "/" + name)
            } else {
                let bytes = try await client.bytes(of: item)
                try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name))
                count += 1
            }
        }
        return count
    }
}
