import FileSystemTypes
import TestSupport
import Testing

import VirtualFileSystem

/// Which pages the kernel may drop behind a program.
@Suite struct DropBehindTests {
    private static let mebibyte: Int64 = 1 << 20
    private static let size: Int64 = 64 << 20

    /// What is dropped while the parts are read, which are of 128 KiB.
    private static func dropped(
        _ starts: some Sequence<Int64>, _ state: inout DropBehind
    ) -> [ByteRange] {
        starts.compactMap { state.read(ByteRange(offset: $0, count: 1 << 17)) }
    }

    private static var wholeFile: StrideTo<Int64> { stride(from: 0, to: size, by: 1 << 17) }

    @Test func whatLiesFarEnoughBehindGoesOnceAndInOrder() {
        var state = DropBehind()
        let ranges = Self.dropped(Self.wholeFile, &state)
        #expect(ranges.first == ByteRange(0, DropBehind.piece))
        #expect(ranges.last?.upperBound == Self.size - DropBehind.distance)
        #expect(zip(ranges, ranges.dropFirst()).allSatisfy { $0.upperBound == $1.lowerBound })
        #expect(state.hasPassed(Self.size))
        #expect(!state.hasPassed(Self.size + 1))
    }

    /// The kernel reads ahead in several parts at a time.
    @Test func partsMayComeInAnotherOrder() {
        var state = DropBehind()
        let starts = Self.wholeFile.map { $0 ^ (1 << 17) ^ (1 << 18) }
        let ranges = Self.dropped(starts, &state)
        #expect(ranges.last?.upperBound == Self.size - DropBehind.distance)
        #expect(state.hasPassed(Self.size))
    }

    @Test(arguments: [
        // Back to what has been dropped; elsewhere.
        [Int64](stride(from: 0, to: 32 << 20, by: 1 << 17)) + [0],
        [0, 50 << 20],
    ])
    func whoReadsElsewhereKeepsThePages(_ starts: [Int64]) {
        var state = DropBehind()
        _ = Self.dropped(starts, &state)
        #expect(Self.dropped(Self.wholeFile, &state) == [])
        #expect(!state.hasPassed(Self.size))
    }

    @Test func ofASmallFileNothingGoes() {
        var state = DropBehind()
        #expect(Self.dropped(stride(from: 0, to: DropBehind.distance, by: 1 << 17), &state) == [])
        #expect(!state.hasPassed(DropBehind.distance))
    }
}
