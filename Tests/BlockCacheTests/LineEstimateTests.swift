import Testing

@testable import BlockCache

@Suite struct LineEstimateTests {
    /// The estimate after so many equal fetches.
    private func estimate(
        bytes: Int64 = 1 << 20, latency: Double, seconds: Double, others: Int = 0, times: Int = 1
    ) -> LineEstimate {
        var line = LineEstimate()
        for _ in 0..<times {
            line.note(bytes: bytes, latency: latency, seconds: seconds, others: others)
        }
        return line
    }

    @Test func nothingIsAskedForBeyondNeedWhileNothingIsKnown() {
        #expect(LineEstimate().piece(parallel: 16) == 0)
        // A short answer says nothing of how fast bytes come.
        #expect(
            estimate(bytes: 1 << 16, latency: 0.02, seconds: 0.000_001).piece(parallel: 16) == 0)
        #expect(estimate(latency: 0.02, seconds: 0).piece(parallel: 16) == 0)
    }

    @Test func bytesAreCheapNearTheServer() {
        let line = estimate(latency: 0.000_3, seconds: 0.002)
        #expect(line.piece(parallel: 16) == LineEstimate.largestPiece)
    }

    @Test func bytesAreDearOverALongNarrowLine() {
        // 25 MB/s: in the 1.25 ms that each of 16 requests costs of 20 ms, 31 kB come.
        let line = estimate(bytes: 1_000_000, latency: 0.02, seconds: 0.04)
        #expect(line.piece(parallel: 16) == 31_250)
        #expect(line.piece(parallel: 8) == 62_500)
        #expect(estimate(latency: 0.01, seconds: 1).piece(parallel: 16) < 1_000)
    }

    @Test func fetchesThatShareTheLineCountTogether() {
        let line = estimate(bytes: 1_000_000, latency: 0.02, seconds: 0.16, others: 3)
        #expect(line.piece(parallel: 16) == 31_250)
    }

    @Test func aLineThatChangesIsLearntAnew() {
        var line = estimate(latency: 0.000_3, seconds: 0.002, times: 10)
        for _ in 0..<200 {
            line.note(bytes: 1_000_000, latency: 0.02, seconds: 0.04, others: 0)
        }
        #expect(line.piece(parallel: 16) == 31_250)
        // Requests that wait for each other's bytes do not make the line longer.
        line.note(bytes: 1_000, latency: 0.2, seconds: 0, others: 15)
        #expect(line.piece(parallel: 16) < 33_000)
    }
}
