import ArgumentParser

/// A span of time as people write it: `90s`, `30m`, `2h`, `1d`.
struct TimeSpan: ExpressibleByArgument {
    let seconds: Int

    init(seconds: Int) { self.seconds = seconds }

    init?(argument: String) {
        let units: [Character: Int] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
        guard let last = argument.last, let unit = units[last],
            let number = Int(argument.dropLast()), number > 0
        else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit)
        guard !overflow else { return nil }
        seconds = product
    }

    /// As `--help` shows a default.
    var defaultValueDescription: String {
        for (unit, name) in [(86_400, "d"), (3_600, "h"), (60, "m")] where seconds % unit == 0 {
            return "\(seconds / unit)\(name)"
        }
        return "\(seconds)s"
    }
}
