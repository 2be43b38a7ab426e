import FileSystemTypes
import Testing

@Suite struct FileTimeTests {
    @Test(arguments: [0, 1, -1, 999_999_999, 1_000_000_000, -1_000_000_000, .max, .min] as [Int64])
    func nanosecondsRoundTrip(count: Int64) {
        let time = FileTime(nanosecondsSince1970: count)
        #expect((0..<1_000_000_000).contains(time.nanoseconds))
        #expect(time.nanosecondsSince1970 == count)
    }

    @Test func nanosecondsAreClamped() {
        #expect(FileTime(seconds: .max).nanosecondsSince1970 == .max)
        #expect(FileTime(seconds: .min).nanosecondsSince1970 == .min)
    }

    @Test func isOrderedBySecondsFirst() {
        #expect(FileTime(seconds: 1, nanoseconds: 999) < FileTime(seconds: 2))
        #expect(FileTime(seconds: 2, nanoseconds: 1) > FileTime(seconds: 2))
        #expect(FileTime(seconds: -1) < FileTime(seconds: 0))
    }
}
