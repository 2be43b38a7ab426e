import CloudStorage
import Foundation
import TestSupport
import Testing

/// A folder of the cloud as another client sees it.
enum RemoteTree {
    /// Downloads a folder with all that is in it; answers how many files there were.
    static func download(
        _ client: any CloudStorage, _ folder: ItemReference, to path: String
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

extension MountedCloud {
    /// Downloads the team root as Bob to `$W/remote`; answers how many files there were.
    @discardableResult
    func downloadAll() async throws -> Int {
        try await atHome("rm -rf remote")
        return try await RemoteTree.download(
            try await bob(), server.top, to: home.path + "/remote")
    }

    /// Runs a script in the team root and in `$W/local`, a folder of the local disk, and compares
    /// byte by byte what came of it: on the mount, on the local disk, and, as Bob downloads it,
    /// on the server. Symbolic links are `NAME.rclonelink` files there.
    func compareWithLocalDisk(_ script: String, seconds: Double = 120) async throws {
        try await shell(script, seconds: seconds)
        try await atHome("mkdir -p local; cd local; \(script)")
        try await shell("diff -r --no-dereference . $W/local", seconds: seconds)
        try await sync()
        let count = try await downloadAll()
        try await atHome(
            """
            rm -rf expected; cp -a local expected; cd expected
            find . -type l | while read -r link; do
              printf %s "$(readlink "$link")" > "$link.rclonelink"; rm "$link"; done
            diff -r . ../remote
            [ "$(find . -type f | wc -l)" = \(count) ]
            """)
    }
}
