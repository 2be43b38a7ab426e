import FuseAdapter
import Testing

@Suite struct MountTableTests {
    static let text = """
        22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
        40 22 0:35 / /mnt/plain rw,nosuid shared:20 master:3 - fuse.ordner ordner:Anna rw,user_id=0
        41 22 0:36 / /mnt/with\\040space\\134and\\011tab rw - fuse.ordner a\\040b rw
        42 40 0:37 / /mnt/plain rw,nosuid - fuse.ordner second rw
        43 22 0:38 / /data rw - nfs4 server:/ rw
        a line that is none
        44 22 0 / /nowhere rw - fuse x rw
        """

    let table = MountTable(parsing: text)

    @Test func linesAreReadAndOthersLeftOut() throws {
        #expect(table.mounts.count == 5)
        let mount = try #require(table.mounts.dropFirst().first)
        #expect(mount.number == 40)
        #expect(mount.parent == 22)
        #expect(mount.deviceMajor == 0)
        #expect(mount.deviceMinor == 35)
        #expect(mount.mountPoint == "/mnt/plain")
        #expect(mount.type == "fuse.ordner")
        #expect(mount.source == "ordner:Anna")
    }

    @Test func escapedCharactersAreResolved() {
        let mount = table.topmost(at: "/mnt/with space\\and\ttab")
        #expect(mount?.deviceMinor == 36)
        #expect(mount?.source == "a b")
    }

    @Test func ofStackedMountsTheTopmostCounts() {
        #expect(table.topmost(at: "/mnt/plain")?.deviceMinor == 37)
    }

    @Test func theOrderOfTheLinesDoesNotMatter() {
        let reversed = MountTable(
            parsing: Self.text.split(separator: "\n").reversed().joined(separator: "\n"))
        #expect(reversed.topmost(at: "/mnt/plain")?.deviceMinor == 37)
    }

    @Test func onlyTheMountPointItselfIsFound() {
        #expect(table.topmost(at: "/mnt") == nil)
        #expect(table.topmost(at: "/mnt/plain/below") == nil)
    }

    @Test func fuseIsToldFromOthers() {
        #expect(table.topmost(at: "/mnt/plain")?.isFuse == true)
        #expect(table.topmost(at: "/data")?.isFuse == false)
        #expect(table.topmost(at: "/")?.isFuse == false)
    }

    @Test func theTableOfThisProcessHasARoot() {
        #expect(MountTable.current().topmost(at: "/") != nil)
    }
}
