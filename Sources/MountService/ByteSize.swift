/// A number of bytes as people write it: `500M`, `1.5G`, `2 TiB`; powers of 1024.
package struct ByteSize: Hashable, Sendable {
    package let bytes: Int64

    package init(bytes: Int64) { self.bytes = bytes }

    /// Reads a number with at most one of the units K, M, G and T behind it, which may be followed by
    /// `B` or `iB`; nil for anything else, for what is below 0, and for what is too much.
    package init?(parsing text: String) {
        var rest = Substring(text.lowercased())
        // A number alone means bytes, and so does one with a B.
        var unit: Int64 = 1
        if rest.hasSuffix("ib") {
            rest.removeLast(2)
            guard let last = rest.last, Self.units[last] != nil else { return nil }
        } else if rest.hasSuffix("b") {
            rest.removeLast()
        }
        if let last = rest.last, let known = Self.units[last] {
            unit = known
            rest.removeLast()
        }
        if rest.last == " " { rest.removeLast() }
        let parts = rest.split(separator: ".", omittingEmptySubsequences: false)
        guard let whole = parts.first, parts.count <= 2, Self.isNumber(whole),
            let number = Int64(whole)
        else { return nil }
        let (product, overflow) = number.multipliedReportingOverflow(by: unit)
        guard !overflow else { return nil }
        var fraction: Int64 = 0
        if parts.count == 2 {
            let digits = parts[1].prefix(6)
            guard unit > 1, Self.isNumber(parts[1]), let value = Int64(digits) else { return nil }
            let scale = digits.reduce(Int64(1)) { scale, _ in scale * 10 }
            fraction = Int64(Double(unit) * Double(value) / Double(scale))
        }
        let (sum, overflows) = product.addingReportingOverflow(fraction)
        guard !overflows else { return nil }
        bytes = sum
    }

    private static let units: [Character: Int64] = [
        "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40,
    ]

    private static func isNumber(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
    }

    /// With one decimal in the largest unit that gives at least 1.
    package static func text(_ bytes: Int64) -> String {
        var value = Double(bytes)
        for unit in ["bytes", "KB", "MB", "GB"] {
            if value < 1024 {
                return unit == "bytes" ? "\(bytes) bytes" : "\((value * 10).rounded() / 10) \(unit)"
            }
            value /= 1024
        }
        return "\((value * 10).rounded() / 10) TB"
    }
}
