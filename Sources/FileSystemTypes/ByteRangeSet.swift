/// A set of byte offsets, kept as sorted ranges that neither touch nor overlap.
package struct ByteRangeSet: Hashable, Sendable {
    /// Ascending, none empty, with a gap between each two.
    package private(set) var ranges: [ByteRange] = []

    package init() {}

    package init(_ range: ByteRange) { insert(range) }

    package var isEmpty: Bool { ranges.isEmpty }

    /// How many bytes are in the set.
    package var byteCount: Int64 { ranges.reduce(0) { $0 + $1.count } }

    /// Adds every byte of `range`.
    package mutating func insert(_ range: ByteRange) {
        guard !range.isEmpty else { return }
        let first = firstIndex { $0.upperBound >= range.lowerBound }
        var last = first
        var merged = range
        while last < ranges.count, ranges[last].lowerBound <= range.upperBound {
            merged.lowerBound = min(merged.lowerBound, ranges[last].lowerBound)
            merged.upperBound = max(merged.upperBound, ranges[last].upperBound)
            last += 1
        }
        ranges.replaceSubrange(first..<last, with: CollectionOfOne(merged))
    }

    /// Takes every byte of `range` out.
    package mutating func remove(_ range: ByteRange) {
        guard !range.isEmpty else { return }
        let first = firstIndex { $0.upperBound > range.lowerBound }
        var last = first
        var kept: [ByteRange] = []
        while last < ranges.count, ranges[last].lowerBound < range.upperBound {
            let present = ranges[last]
            if present.lowerBound < range.lowerBound {
                kept.append(ByteRange(present.lowerBound, range.lowerBound))
            }
            if present.upperBound > range.upperBound {
                kept.append(ByteRange(range.upperBound, present.upperBound))
            }
            last += 1
        }
        ranges.replaceSubrange(first..<last, with: kept)
    }

    /// Whether every byte of `range` is in the set.
    package func contains(_ range: ByteRange) -> Bool {
        guard !range.isEmpty else { return true }
        let index = firstIndex { $0.upperBound > range.lowerBound }
        return index < ranges.count && ranges[index].contains(range)
    }

    /// The parts of `range` that are not in the set, ascending.
    package func missing(in range: ByteRange) -> [ByteRange] {
        guard !range.isEmpty else { return [] }
        var gaps: [ByteRange] = []
        var position = range.lowerBound
        var index = firstIndex { $0.upperBound > range.lowerBound }
        while index < ranges.count, ranges[index].lowerBound < range.upperBound {
            if ranges[index].lowerBound > position {
                gaps.append(ByteRange(position, ranges[index].lowerBound))
            }
            position = ranges[index].upperBound
            index += 1
        }
        if position < range.upperBound { gaps.append(ByteRange(position, range.upperBound)) }
        return gaps
    }

    /// The index of the first range that meets a condition which, once true, stays true to the end.
    private func firstIndex(where condition: (ByteRange) -> Bool) -> Int {
        var low = 0
        var high = ranges.count
        while low < high {
            let middle = (low + high) / 2
            if condition(ranges[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}

extension ByteRangeSet {
    /// The parts of `range` that are in the set, ascending.
    package func intersection(with range: ByteRange) -> [ByteRange] {
        ranges.compactMap { $0.intersection(range) }
    }

    /// Whether no byte of `range` is in the set.
    package func isDisjoint(with range: ByteRange) -> Bool {
        !ranges.contains { $0.intersection(range) != nil }
    }
}
