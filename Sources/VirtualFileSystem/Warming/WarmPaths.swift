import FileSystemTypes

/// Paths that are to be fetched ahead.
package enum WarmPaths {
    /// Each once, in order, without those that are below another.
    package static func outermost(_ paths: [[String]]) -> [[String]] {
        let sorted = paths.sorted { $0.lexicographicallyPrecedes($1) { Self.isLess($0, $1) } }
        var kept: [[String]] = []
        for path in sorted {
            if let last = kept.last, isBelow(path, last) { continue }
            kept.append(path)
        }
        return kept
    }

    /// Names differ where their bytes do.
    private static func isBelow(_ path: [String], _ folder: [String]) -> Bool {
        path.count >= folder.count
            && zip(path, folder).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
    }

    private static func isLess(_ one: String, _ other: String) -> Bool {
        one.utf8.lexicographicallyPrecedes(other.utf8)
    }
}
