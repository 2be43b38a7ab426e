import FuseAdapter
import Glibc
import Testing
import VirtualFileSystem

@Suite struct RequestDecodingTests {
    @Test(arguments: [
        (O_RDONLY, [OpenOptions.read]),
        (O_WRONLY, [.write]),
        (O_RDWR, [.read, .write]),
        (O_WRONLY | O_TRUNC, [.write, .truncate]),
        (O_RDWR | O_APPEND, [.read, .write, .append]),
        (O_RDWR | O_CREAT | O_EXCL, [.read, .write, .exclusive]),
        (O_RDONLY | O_CLOEXEC | O_NONBLOCK, [.read]),
        (O_RDWR | OpenOptions.directFlag, [.read, .write, .direct]),
        // For ioctl only (open(2)).
        (O_ACCMODE, []),
    ])
    func openFlags(flags: Int32, expected: [OpenOptions]) {
        #expect(OpenOptions(openFlags: flags) == OpenOptions(expected))
    }

    @Test func renameFlags() {
        #expect(RenameMode(renameFlags: 0) == .replace)
        #expect(RenameMode(renameFlags: 1) == .noReplace)
        #expect(RenameMode(renameFlags: 2) == .exchange)
        #expect(RenameMode(renameFlags: 3) == nil)
        #expect(RenameMode(renameFlags: 4) == nil)
    }

    @Test func allocationFlags() {
        #expect(AllocationMode(allocationFlags: 0) == .allocate)
        #expect(AllocationMode(allocationFlags: 1) == .keepSize)
        #expect(AllocationMode(allocationFlags: 3) == .punchHole)
        #expect(AllocationMode(allocationFlags: 16) == .zeroRange(keepSize: false))
        #expect(AllocationMode(allocationFlags: 17) == .zeroRange(keepSize: true))
        // A hole without KEEP_SIZE (fallocate(2)), COLLAPSE_RANGE, INSERT_RANGE, UNSHARE_RANGE.
        for flags: Int32 in [2, 8, 32, 64] {
            #expect(AllocationMode(allocationFlags: flags) == nil)
        }
    }

    @Test func seekTargets() {
        #expect(SeekTarget(whence: SEEK_SET) == nil)
        #expect(SeekTarget(whence: SEEK_END) == nil)
        #expect(SeekTarget(whence: 3) == .data)
        #expect(SeekTarget(whence: 4) == .hole)
    }

    @Test func attributeReplacement() {
        #expect(AttributeReplacement(replacementFlags: 0) == .either)
        #expect(AttributeReplacement(replacementFlags: 1) == .createOnly)
        #expect(AttributeReplacement(replacementFlags: 2) == .replaceOnly)
        #expect(AttributeReplacement(replacementFlags: 3) == nil)
    }
}
