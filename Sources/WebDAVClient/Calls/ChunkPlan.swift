import FileSystemTypes

/// How a large file is cut into the pieces of a chunked upload (Nextcloud's developer manual, "Chunked
/// file upload", version 2). Pure.
struct ChunkPlan: Sendable, Equatable {
    /// Bytes of the smallest piece that Nextcloud takes before the last one: 5 MB, rounded up.
    static let smallest: Int64 = 5 << 20
    /// Nextcloud takes no more pieces.
    static let mostChunks: Int64 = 10_000
    /// What is sent in one piece at least, however small the server's own pieces are.
    private static let usual: Int64 = 8 << 20

    let size: Int64
    let chunkSize: Int64

    /// Nil for a file that is better sent as a whole.
    /// - Parameter largest: bytes that the server wants at most in one piece.
    init?(size: Int64, largest: Int64) {
        // What a broken connection costs stays a small part of the file.
        let wanted = max(Self.usual, size / 1_000)
        let needed = (size + Self.mostChunks - 1) / Self.mostChunks
        chunkSize = max(min(wanted, largest), needed, Self.smallest)
        self.size = size
        guard size > 2 * chunkSize else { return nil }
    }

    var count: Int { Int((size + chunkSize - 1) / chunkSize) }

    /// The bytes of a piece, counted from 0.
    func range(_ index: Int) -> ByteRange {
        let start = Int64(index) * chunkSize
        return ByteRange(start, min(size, start + chunkSize))
    }

    /// What a piece is called: servers put them together in the order of their names.
    func name(_ index: Int) -> String {
        let digits = String(index + 1)
        return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
    }

    /// The pieces still to be sent, and names of pieces there that are not of this plan.
    /// - Parameter present: sizes by name, as the server has them.
    func rest(_ present: [String: Int64]) -> (missing: [Int], foreign: [String]) {
        let missing = (0..<count).filter { present[name($0)] != range($0).count }
        let own = Set((0..<count).map(name))
        let foreign = present.filter { name, size in
            guard own.contains(name), let index = Int(name) else { return true }
            return range(index - 1).count != size
        }
        return (missing, foreign.keys.sorted())
    }
}
