import FuseAdapter
import Glibc
import Testing

@Suite struct MountPointTests {
    @Test(arguments: [
        (Int32(0), UInt32(0o040755), MountPoint.State.folder),
        (0, 0o100644, .notFolder),
        (ENOENT, 0, .missing),
        (ENOTDIR, 0, .notFolder),
        (EACCES, 0, .forbidden),
        (EPERM, 0, .forbidden),
        (ENOTCONN, 0, .dead),
        (ECONNABORTED, 0, .dead),
        (EIO, 0, .failed(EIO)),
    ])
    func theAnswerOfStatTellsTheState(error: Int32, mode: UInt32, state: MountPoint.State) {
        #expect(MountPoint.state(error: error, mode: mode) == state)
    }

    /// A new folder with a file and a symbolic link in it, under the folder for temporary files.
    private func withFolder(_ body: (String) throws -> Void) throws {
        let template = try #require(strdup("/tmp/ordner-mountpoint-XXXXXX"))
        defer { free(template) }
        let name = String(cString: try #require(mkdtemp(template)))
        let folder = try #require(MountPoint.resolved(name))
        defer {
            for entry in ["file", "link", "dangling"] { unlink("\(folder)/\(entry)") }
            rmdir("\(folder)/empty")
            rmdir(folder)
        }
        try #require(mkdir("\(folder)/empty", 0o755) == 0)
        let file = open("\(folder)/file", O_CREAT | O_WRONLY, 0o644)
        try #require(file >= 0)
        close(file)
        try #require(symlink("empty", "\(folder)/link") == 0)
        try #require(symlink("gone", "\(folder)/dangling") == 0)
        try body(folder)
    }

    @Test func whatStandsThereIsSeen() throws {
        try withFolder { folder in
            #expect(MountPoint.state(of: folder) == .folder)
            #expect(MountPoint.state(of: "\(folder)/file") == .notFolder)
            #expect(MountPoint.state(of: "\(folder)/missing") == .missing)
            #expect(MountPoint.isEmpty("\(folder)/empty"))
            #expect(!MountPoint.isEmpty(folder))
        }
    }

    @Test func pathsAreResolvedAsTheMountTableHasThem() throws {
        try withFolder { folder in
            #expect(MountPoint.resolved("\(folder)/link") == "\(folder)/empty")
            #expect(
                MountPoint.resolved("\(folder)/../\(folder.split(separator: "/")[1])/empty/")
                    == "\(folder)/empty")
            #expect(MountPoint.resolved("/") == "/")
        }
    }

    /// As a dead mount's: the folder above is there, the last component can't be looked at.
    @Test func theLastComponentNeedNotBeLookedAt() throws {
        try withFolder { folder in
            #expect(MountPoint.resolved("\(folder)/missing///") == "\(folder)/missing")
            #expect(MountPoint.resolved("\(folder)/link/missing") == "\(folder)/empty/missing")
            #expect(MountPoint.resolved("\(folder)/missing/below") == nil)
        }
    }
}
