import Testing

import Reconciler

/// How the work for the server stands back behind busy programs.
@Suite struct LocalLoadTests {
    /// A load that has seen so many changes a second, in steps of a tenth.
    private func load(_ rate: UInt64, from start: Double = 0, seconds: Double) -> (LocalLoad, Int) {
        var load = LocalLoad()
        var width = load.width(changes: 0, now: start, most: 16)
        for tenth in 1...Int(seconds * 10) {
            width = load.width(
                changes: rate * UInt64(tenth) / 10, now: start + Double(tenth) / 10, most: 16)
        }
        return (load, width)
    }

    @Test func aPersonsWorkHoldsNothingBack() {
        #expect(load(50, seconds: 1).1 == 16)
        #expect(LocalLoad().isBusy == false)
    }

    @Test func manyChangesLeaveOneJob() {
        let (load, width) = load(500, seconds: 1)
        #expect(width == 1)
        #expect(load.isBusy)
    }

    @Test func whatGoesOnForLongHoldsNothingBackForEver() {
        #expect(load(500, seconds: 8).1 == 2)
        #expect(load(500, seconds: 40).1 == 16)
    }

    @Test func allRunsAgainWhenProgramsAreQuiet() {
        var (load, _) = load(500, seconds: 1)
        #expect(load.width(changes: 501, now: 1.05, most: 16) == 1)
        #expect(load.width(changes: 501, now: 1.2, most: 16) == 16)
        #expect(!load.isBusy)
    }

    /// The first look comes late, after many changes in a long time.
    @Test func whatWasLongAgoDoesNotCount() {
        var load = LocalLoad()
        #expect(load.width(changes: 10_000, now: 100, most: 4) == 4)
        #expect(load.width(changes: 10_005, now: 160, most: 4) == 4)
    }
}
