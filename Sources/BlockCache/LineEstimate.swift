/// What fetches so far show of the line to the server, and how much to ask for at a time where readers
/// jump about, so that a request costs about as much time as its bytes.
///
/// A value without clock or lock.
struct LineEstimate: Hashable, Sendable {
    /// Bytes of a fetch that shows how fast bytes come; those of a smaller one come all at once.
    static let telling: Int64 = 1 << 18
    /// Bytes; readers that jump about read little of what is behind a place.
    static let largestPiece: Int64 = 1 << 16
    /// Seconds of work that a request is for both ends at least, however near the server.
    private static let requestCost = 0.0004

    /// Bytes a second, of all fetches that are under way together.
    private(set) var rate: Double?
    /// Seconds until the first byte of an answer, the least of late.
    private(set) var latency: Double?

    /// Takes in a fetch that has ended well.
    /// - Parameters:
    ///   - latency: seconds from the request to the first byte.
    ///   - seconds: from the first byte to the last.
    ///   - others: fetches that shared the line with it.
    mutating func note(bytes: Int64, latency: Double, seconds: Double, others: Int) {
        // Where the line has changed for the worse the least is forgotten by and by.
        self.latency = min(latency, (self.latency ?? latency) * 1.05)
        guard bytes >= Self.telling, seconds > 0 else { return }
        let rate = Double(bytes) / seconds * Double(1 + others)
        self.rate = ((self.rate ?? rate) + rate) / 2
    }

    /// Bytes to ask for at least; 0 while nothing is known.
    /// - Parameter parallel: requests that are under way at a time.
    func piece(parallel: Int) -> Int64 {
        guard let rate, let latency else { return 0 }
        let cost = max(latency / Double(max(1, parallel)), Self.requestCost)
        return Int64(min(Double(Self.largestPiece), rate * cost))
    }
}
