/// What `ordner cache` says, in words.
package enum CacheText {
    /// One account's cache, line by line.
    package static func text(_ report: CacheReport) -> String {
        let place = report.mountPoint.map { " on \($0)" } ?? " (not mounted)"
        var lines = [report.account + place]
        if let problem = report.problem { return lines[0] + "\n  problem     \(problem)" }
        let limit = report.limit.map { " of \(ByteSize.text($0))" } ?? ""
        lines.append("  cache       \(ByteSize.text(report.bytes))\(limit), in \(report.folder)")
        lines.append("  complete    " + files(report.completeFiles, report.completeBytes))
        lines.append("  in part     " + files(report.partialFiles, report.partialBytes))
        if report.usedFiles > 0 {
            lines.append("  in use      \(files(report.usedFiles, report.usedBytes)), not trimmed")
        }
        if let hits = report.hits, let misses = report.misses, let fetched = report.fetchedBytes {
            lines.append(
                "  reads       \(hits) answered from here, \(misses) waited for the server; "
                    + "\(ByteSize.text(fetched)) fetched")
        }
        if let free = report.freeBytes {
            lines.append(
                "  disk        \(ByteSize.text(free)) free, of which "
                    + "\(ByteSize.text(report.reserveBytes)) stay free")
        }
        let unsent = files(report.unsentFiles, report.unsentBytes)
        lines.append("  unsent      \(unsent), never trimmed")
        return lines.joined(separator: "\n")
    }

    /// What a trimming has done.
    package static func text(_ trimming: TrimReport, _ report: CacheReport) -> String {
        let used = report.usedFiles > 0 ? ", \(ByteSize.text(report.usedBytes)) of it in use" : ""
        return "\(report.account): \(files(trimming.files, trimming.bytes)) freed; "
            + "\(ByteSize.text(report.bytes)) left\(used)."
    }

    private static func files(_ count: Int, _ bytes: Int64) -> String {
        "\(count) file\(count == 1 ? "" : "s"), \(ByteSize.text(bytes))"
    }
}
