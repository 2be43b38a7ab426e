/// How often the content of a file is sent: soon where it has been left alone, ever more seldom
/// where it is changed again right after it was sent.
///
/// Pure: the caller tells the time, in seconds on its clock.
struct SendingRhythm: Sendable {
    fileprivate struct Beat: Sendable {
        var begun = 0.0
        var ended = -Double.infinity
        /// Seconds for which it is not sent again.
        var pause = 0.0
        /// How many times in a row it was sent right after a pause.
        var step = 0
    }

    /// Files that are remembered; those that have been left alone are forgotten.
    private static let limit = 4_096
    private static let lastStep = 10

    private var beats: [UInt64: Beat] = [:]

    /// When the file may be sent again.
    func earliest(_ file: UInt64) -> Double {
        beats[file].map { $0.ended + $0.pause } ?? -.infinity
    }

    mutating func begin(_ file: UInt64, now: Double) {
        beats[file, default: Beat()].begun = now
    }

    /// The server has the content that was sent.
    mutating func end(_ file: UInt64, now: Double, pace: ReconciliationPace) {
        guard var beat = beats[file] else { return }
        beat.step = beat.isLeftAlone(at: beat.begun) ? 0 : min(beat.step + 1, Self.lastStep)
        let cost = beat.begun.isFinite ? max(0, now - beat.begun) : 0
        let longest = max(pace.longestPause, min(4 * cost, 60))
        beat.pause = min(longest, max(pace.firstPause, cost) * Double(1 << beat.step))
        beat.ended = now
        beats[file] = beat
        guard beats.count > Self.limit else { return }
        beats = beats.filter { !$0.value.isLeftAlone(at: now) }
        if beats.count > Self.limit { beats = [:] }
    }

    /// One file takes the place of another, as the next content of what the server has.
    mutating func pass(from old: UInt64, to new: UInt64) {
        if let beat = beats.removeValue(forKey: old) { beats[new] = beat }
    }
}

extension SendingRhythm.Beat {
    /// Whether the pause, and as much again, has gone by since it was sent.
    fileprivate func isLeftAlone(at now: Double) -> Bool { now - ended > 2 * pause }
}
