/// What `ordner warm` says, in words.
package enum WarmText {
    private static let width = 16

    /// One line that tells how far it is.
    /// - Parameter rate: bytes a second; nil where it is not known yet.
    package static func progress(_ report: WarmReport, rate: Double?) -> String {
        if report.isListing {
            return "listing: \(count(report.folders, "folder")), "
                + "\(count(report.files, "file")), \(ByteSize.text(report.bytes))"
        }
        var text =
            "\(report.filesHere + report.filesFetched) of \(count(report.files, "file")), "
            + "\(ByteSize.text(report.bytesDone)) of \(ByteSize.text(report.bytes))"
        if let rate { text += ", \(ByteSize.text(Int64(rate)))/s" }
        if report.failureCount > 0 { text += ", \(report.failureCount) failed" }
        if report.refusedFiles > 0 { text += ", \(report.refusedFiles) don't fit" }
        return text
    }

    /// The same behind a bar.
    package static func bar(_ report: WarmReport, rate: Double?) -> String {
        guard !report.isListing else { return progress(report, rate: rate) }
        let share = report.bytes > 0 ? Double(report.bytesDone) / Double(report.bytes) : 1
        let done = min(width, max(0, Int(share * Double(width))))
        return "[" + String(repeating: "#", count: done)
            + String(repeating: "-", count: width - done) + "] " + progress(report, rate: rate)
    }

    /// What came of it.
    package static func summary(_ report: WarmReport) -> String {
        let fetched = "\(count(report.filesFetched, "file")) fetched"
        let bytes = ByteSize.text(report.bytesFetched)
        guard report.filesHere > 0 else { return "\(fetched) (\(bytes))." }
        let here = "\(report.filesHere) \(report.filesHere == 1 ? "was" : "were") here already"
        return "\(fetched) (\(bytes)), \(here) (\(ByteSize.text(report.bytesHere)))."
    }

    /// Why not everything is here; nil where it is.
    package static func failure(_ report: WarmReport) -> ServiceFailure? {
        let mount = report.mountPoint ?? "DIR"
        var parts: [String] = []
        if report.isCancelled { parts.append("it was ended before all was fetched") }
        if report.failureCount > 0 {
            parts.append("\(count(report.failureCount, "item")) could not be fetched")
        }
        var remedy: String?
        if report.refusedFiles > 0 {
            let said = refusal(report, mount: mount)
            parts.append(said.message)
            remedy = said.remedy
        }
        guard !parts.isEmpty else { return nil }
        return ServiceFailure("\(mount): " + parts.joined(separator: "; "), remedy: remedy)
    }

    private static func refusal(_ report: WarmReport, mount: String) -> ServiceFailure {
        let what = "\(count(report.refusedFiles, "file")) (\(ByteSize.text(report.refusedBytes)))"
        let lacking = "\(ByteSize.text(report.lackingBytes)) are missing"
        let verb = report.refusedFiles == 1 ? "doesn't" : "don't"
        switch report.bound {
        case "disk":
            return ServiceFailure(
                "\(what) \(verb) fit on the disk of the cache beside what stays free: \(lacking)",
                remedy: "Make room there, or mount with --cache-dir on another disk.")
        case "files":
            return ServiceFailure(
                "\(what) \(verb) fit into the cache, which holds only so many files",
                remedy: "Name fewer folders.")
        default:
            let limit = ByteSize.text(report.cacheLimit)
            return ServiceFailure(
                "\(what) \(verb) fit into the cache of \(limit): \(lacking)",
                remedy: "Let it have more, with: ordner cache \(mount) --limit SIZE "
                    + "(for good: ordner mount --cache-size SIZE)")
        }
    }

    private static func count(_ number: Int, _ noun: String) -> String {
        "\(number) \(noun)\(number == 1 ? "" : "s")"
    }
}

/// How fast something grows, over the last few seconds.
package struct TransferRate: Sendable {
    private static let seconds = 5.0

    private var samples: [(bytes: Int64, at: Double)] = []

    package init() {}

    /// Takes how much there is now.
    /// - Parameter time: seconds on a clock that never jumps.
    package mutating func note(_ bytes: Int64, at time: Double) {
        if let last = samples.last, bytes < last.bytes || time <= last.at { return }
        samples.append((bytes, time))
        // One from before the span stays, so that it is covered as a whole.
        while samples.count > 2, samples[1].at <= time - Self.seconds { samples.removeFirst() }
    }

    /// Bytes a second; nil before two looks.
    package var perSecond: Double? {
        guard let first = samples.first, let last = samples.last, last.at > first.at else {
            return nil
        }
        return Double(last.bytes - first.bytes) / (last.at - first.at)
    }
}
