/// How eagerly differences are worked on.
package struct ReconciliationPace: Hashable, Sendable {
    /// Seconds of quiet before a change is sent, so that the steps of one save become one call.
    package var settleSeconds: Double
    /// As above, for the new name of a folder: no step of a save.
    package var folderNameSeconds: Double
    /// As above, for what has a name that it is about to lose.
    package var passingSeconds: Double = 1
    /// As above, for what a program still has open for writing.
    package var openSeconds: Double = 10
    /// As above, for removals.
    package var removalSeconds: Double
    /// As above, while the folder is being read or programs are busy: a tree that is being removed
    /// becomes one call.
    package var treeSeconds: Double = 2
    /// Seconds for which a file that has just been sent is not sent again; doubles each time.
    package var firstPause: Double
    /// More only where sending takes long.
    package var longestPause: Double = 8
    /// Seconds for which changes, one after the other, can hold back the first: those of an item that
    /// is closed, and removals from one folder.
    package var longestQuiet: Double = 30
    /// Seconds until the first repetition; doubles each time.
    package var firstRetry: Double
    package var longestRetry: Double
    /// Seconds between two looks at what somebody else has locked.
    package var lockedRetry: Double
    /// Jobs at a time: more than requests may be, since a small file's waits for others', so that one
    /// look tells what has become of many.
    package var width: Int
    /// Of these, uploads of more than `bulkBytes`; the rest is for what a person waits for.
    package var bulkWidth: Int
    package var bulkBytes: Int64

    package init(
        settleSeconds: Double = 0.1, removalSeconds: Double = 0.1, firstRetry: Double = 2,
        longestRetry: Double = 120, lockedRetry: Double = 15, width: Int = 48, bulkWidth: Int = 4,
        bulkBytes: Int64 = 16 << 20
    ) {
        self.settleSeconds = settleSeconds
        folderNameSeconds = min(settleSeconds, 0.01)
        firstPause = settleSeconds * 5
        self.removalSeconds = removalSeconds
        self.firstRetry = firstRetry
        self.longestRetry = longestRetry
        self.lockedRetry = lockedRetry
        self.width = width
        self.bulkWidth = bulkWidth
        self.bulkBytes = bulkBytes
    }

    /// Seconds of quiet that a change waits for.
    func quiet(after difference: Difference) -> Double {
        if difference.wanted == nil { return removalSeconds }
        switch difference.expectation {
        case .moreContent: return max(settleSeconds, openSeconds)
        case .otherName: return max(settleSeconds, passingSeconds)
        case .nothing:
            let isName = difference.kind == .folder && difference.home != nil
            return isName ? folderNameSeconds : settleSeconds
        }
    }

    /// Seconds by which a large upload stands back behind what came at the same time; bounded, so
    /// that nothing waits for ever.
    func penalty(bytes: Int64) -> Double { min(60, Double(bytes) / Double(8 << 20)) }

    /// Seconds until the next try after so many.
    func wait(attempts: Int) -> Double {
        min(longestRetry, firstRetry * Double(1 << min(max(0, attempts - 1), 20)))
    }
}
