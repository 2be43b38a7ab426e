/// A fixed number of bits with a running count of those that are set.
struct Bitmap: Hashable, Sendable {
    let bitCount: Int
    /// How many bits are set.
    private(set) var setCount = 0
    /// Bit i is bit `i % 64` of word `i / 64`; bits past the end are clear.
    private(set) var words: [UInt64]

    init(bitCount: Int) {
        self.bitCount = bitCount
        words = [UInt64](repeating: 0, count: (bitCount + 63) / 64)
    }

    /// Takes stored words; nil where they don't fit the count.
    init?(bitCount: Int, words: [UInt64]) {
        guard words.count == (bitCount + 63) / 64 else { return nil }
        if let last = words.last, bitCount % 64 != 0, last >> UInt64(bitCount % 64) != 0 {
            return nil
        }
        self.bitCount = bitCount
        self.words = words
        setCount = words.reduce(0) { $0 + $1.nonzeroBitCount }
    }

    subscript(index: Int) -> Bool {
        words[index >> 6] & (1 << UInt64(index & 63)) != 0
    }

    /// Sets a bit; returns whether it was clear.
    @discardableResult
    mutating func insert(_ index: Int) -> Bool {
        let bit: UInt64 = 1 << UInt64(index & 63)
        guard words[index >> 6] & bit == 0 else { return false }
        words[index >> 6] |= bit
        setCount += 1
        return true
    }

    /// Clears a bit; returns whether it was set.
    @discardableResult
    mutating func remove(_ index: Int) -> Bool {
        let bit: UInt64 = 1 << UInt64(index & 63)
        guard words[index >> 6] & bit != 0 else { return false }
        words[index >> 6] &= ~bit
        setCount -= 1
        return true
    }

    /// The bits that are set here and not in `other`, ascending.
    func indices(notIn other: Bitmap) -> [Int] {
        var found: [Int] = []
        for (index, word) in words.enumerated() {
            var rest = word & ~other.words[index]
            while rest != 0 {
                found.append(index * 64 + rest.trailingZeroBitCount)
                rest &= rest - 1
            }
        }
        return found
    }

    /// The set bits, ascending.
    var indices: [Int] { indices(notIn: Bitmap(bitCount: bitCount)) }
}
