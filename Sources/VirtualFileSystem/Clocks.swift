import FileSystemTypes
import Glibc

/// What decides the order of work and the names that are made up; tests give their own, so that a
/// run can be repeated.
package struct Chance: Sendable {
    /// Seconds on a clock that never jumps.
    package var monotonicSeconds: @Sendable () -> Double
    /// A time for the name of a conflict copy.
    package var nameStamp: @Sendable () -> String
    /// Text that no other temporary name has.
    package var uniqueText: @Sendable () -> String

    package init(
        monotonicSeconds: @escaping @Sendable () -> Double,
        nameStamp: @escaping @Sendable () -> String,
        uniqueText: @escaping @Sendable () -> String
    ) {
        self.monotonicSeconds = monotonicSeconds
        self.nameStamp = nameStamp
        self.uniqueText = uniqueText
    }

    /// This machine's clocks and random numbers.
    package static let system = Chance(
        monotonicSeconds: { SystemClocks.monotonicSeconds() },
        nameStamp: { SystemClocks.nameStamp() },
        uniqueText: { String(UInt64.random(in: .min ... .max), radix: 36) })
}

/// The two clocks of the file system, as plain numbers: cheap enough for every request.
enum SystemClocks {
    /// The time of day.
    static func now() -> FileTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return FileTime(seconds: Int64(time.tv_sec), nanoseconds: Int32(time.tv_nsec))
    }

    /// Seconds on a clock that never jumps.
    static func monotonicSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    /// A time for the name of a conflict copy: `2026-01-31 12.30.59`, local time.
    static func nameStamp() -> String {
        var seconds = Glibc.time(nil)
        var parts = tm()
        localtime_r(&seconds, &parts)
        func two(_ value: Int32) -> String { (value < 10 ? "0" : "") + String(value) }
        let day = "\(parts.tm_year + 1900)-\(two(parts.tm_mon + 1))-\(two(parts.tm_mday))"
        return "\(day) \(two(parts.tm_hour)).\(two(parts.tm_min)).\(two(parts.tm_sec))"
    }
}
