import FileSystemTypes
import TestSupport
import Testing

@Suite struct ByteRangeSetTests {
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func agreesWithASetOfOffsets(seed: UInt64) {
        var random = SeededRandom(seed: seed)
        var ranges = ByteRangeSet()
        var offsets: Set<Int64> = []
        for _ in 0..<300 {
            let lower = Int64.random(in: 0...60, using: &random)
            let range = ByteRange(lower, lower + Int64.random(in: 0...12, using: &random))
            let members = Set(range.lowerBound..<range.upperBound)
            if Bool.random(using: &random) {
                ranges.insert(range)
                offsets.formUnion(members)
            } else {
                ranges.remove(range)
                offsets.subtract(members)
            }
            check(ranges, offsets, range)
        }
    }

    private func check(_ ranges: ByteRangeSet, _ offsets: Set<Int64>, _ probe: ByteRange) {
        #expect(ranges.byteCount == Int64(offsets.count))
        #expect(ranges.isEmpty == offsets.isEmpty)
        #expect(Set(ranges.ranges.flatMap { $0.lowerBound..<$0.upperBound }) == offsets)
        for (left, right) in zip(ranges.ranges, ranges.ranges.dropFirst()) {
            #expect(left.upperBound < right.lowerBound)
        }
        #expect(ranges.ranges.allSatisfy { !$0.isEmpty })
        let wide = ByteRange(max(0, probe.lowerBound - 3), probe.upperBound + 3)
        let members = Set(wide.lowerBound..<wide.upperBound)
        #expect(ranges.contains(wide) == members.isSubset(of: offsets))
        let missing = ranges.missing(in: wide)
        #expect(
            Set(missing.flatMap { $0.lowerBound..<$0.upperBound }) == members.subtracting(offsets))
        #expect(missing.allSatisfy { !$0.isEmpty })
    }

    @Test func mergesTouchingRanges() {
        var ranges = ByteRangeSet(ByteRange(0, 4))
        ranges.insert(ByteRange(8, 12))
        ranges.insert(ByteRange(4, 8))
        #expect(ranges.ranges == [ByteRange(0, 12)])
    }

    @Test func emptyRangesAreInEverySet() {
        let ranges = ByteRangeSet()
        #expect(ranges.contains(ByteRange(5, 5)))
        #expect(ranges.missing(in: ByteRange(5, 5)).isEmpty)
    }

    @Test func rangesIntersectOnlyWhereTheyShareBytes() {
        #expect(ByteRange(0, 4).intersection(ByteRange(4, 8)) == nil)
        #expect(ByteRange(0, 5).intersection(ByteRange(4, 8)) == ByteRange(4, 5))
        #expect(ByteRange(0, 5).contains(ByteRange(9, 9)))
        #expect(!ByteRange(0, 5).contains(ByteRange(4, 6)))
    }
}
