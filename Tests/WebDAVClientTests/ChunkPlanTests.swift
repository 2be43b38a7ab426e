import FileSystemTypes
import Testing

@testable import WebDAVClient

/// How large files are cut into pieces.
@Suite struct ChunkPlanTests {
    private static let mebibyte: Int64 = 1 << 20

    @Test(arguments: [
        16 * mebibyte + 1, 300 * mebibyte, 300 * mebibyte + 7, 5 << 30, 1 << 40, 60 << 40,
    ])
    func thePiecesAreTheFile(_ size: Int64) throws {
        let plan = try #require(ChunkPlan(size: size, largest: 100 * Self.mebibyte))
        var end: Int64 = 0
        for index in 0..<plan.count {
            let range = plan.range(index)
            #expect(range.lowerBound == end)
            #expect(range.count >= ChunkPlan.smallest || index == plan.count - 1)
            end = range.upperBound
        }
        #expect(end == size)
        #expect(plan.count <= 10_000)
        let names = (0..<plan.count).map(plan.name)
        #expect(names == names.sorted())
        #expect(names.allSatisfy { Int($0) != nil })
    }

    @Test func aSmallFileGoesAsAWhole() {
        #expect(ChunkPlan(size: 16 << 20, largest: 100 << 20) == nil)
        #expect(ChunkPlan(size: 0, largest: 100 << 20) == nil)
    }

    @Test func whatIsThereInFullIsNotSentAgain() throws {
        let plan = try #require(ChunkPlan(size: 20 << 20, largest: 5 << 20))
        #expect(plan.count == 4)
        let (missing, foreign) = plan.rest([
            "00001": 5 << 20, "00002": 7, "00004": 5 << 20, "5": 1, "x": 5 << 20,
        ])
        #expect(missing == [1, 2])
        #expect(foreign == ["00002", "5", "x"])
        #expect(plan.rest([:]).missing == [0, 1, 2, 3])
    }
}
