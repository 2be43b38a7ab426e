import Testing

import Reconciler

/// How the work for the server stands back behind busy programs.
@Suite struct LocalLoadTests {
    /// A load that has seen so many changes a second, and what may run at its end.
    private func load(_ rate: Int, from start: Double = 0, seconds: Double) -> (LocalLoad, Int) {
        var load = LocalLoad()
        for change in 0...Int(seconds * Double(rate)) {
            load.note(now: start + Double(change) / Double(rate))
        }
        let width = load.width(now: start + seconds, most: 16)
        return (load, width)
    }

    @Test func aPersonsWorkHoldsNothingBack() {
        #expect(load(50, seconds: 1).1 == 16)
        #expect(LocalLoad().isBusy == false)
    }

    /// Busy programs are noticed at once, not when something is due.
    @Test func manyChangesLeaveNothingForASecondAndThenOneJob() {
        #expect(load(500, seconds: 0.03).1 == 0)
        #expect(load(500, seconds: 0.9).1 == 0)
        let (load, width) = load(500, seconds: 1.2)
        #expect(width == 1)
        #expect(load.isBusy)
    }

    @Test func whatGoesOnForLongHoldsNothingBackForEver() {
        #expect(load(500, seconds: 8).1 == 2)
        #expect(load(500, seconds: 40).1 == 16)
    }

    @Test func allRunsAgainWhenProgramsAreQuiet() {
        var (load, _) = load(500, seconds: 1.2)
        #expect(load.width(now: 1.25, most: 16) == 1)
        #expect(abs(load.quietTime - 1.32) < 0.005)
        #expect(load.width(now: load.quietTime, most: 16) == 16)
        #expect(!load.isBusy)
    }

    @Test func fewChangesAfterManyAreNoLoad() {
        var (load, _) = load(500, seconds: 1)
        for change in 1...10 { load.note(now: 1 + Double(change) * 0.04) }
        #expect(load.width(now: 1.41, most: 16) == 16)
    }

    /// The machine has other things to do, too: a gap is no end. The longer it takes, the longer the
    /// gaps may be, for three tenths of a second at most.
    @Test func gapsAreNoEnd() {
        var (short, _) = load(500, seconds: 0.5)
        #expect(short.width(now: 0.59, most: 16) == 0)
        #expect(short.width(now: 0.61, most: 16) == 16)
        var (long, _) = load(500, seconds: 4)
        #expect(long.width(now: 4.25, most: 16) == 1)
        long.note(now: 4.26)
        for change in 1...20 { long.note(now: 4.26 + Double(change) * 0.002) }
        #expect(long.width(now: 4.55, most: 16) == 1)
        #expect(long.width(now: 4.61, most: 16) == 16)
    }

    /// Many changes in a long time are few.
    @Test func whatWasLongAgoDoesNotCount() {
        var load = LocalLoad()
        for change in 0..<10_000 { load.note(now: Double(change)) }
        #expect(load.width(now: 10_000, most: 4) == 4)
    }
}
