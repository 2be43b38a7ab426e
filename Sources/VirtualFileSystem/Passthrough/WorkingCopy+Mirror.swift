import FileSystemTypes
import Glibc
import Synchronization

/// Working copies of files that the kernel shows to readers by itself.
extension WorkingCopy {
    /// Has every change go to `file` as well, which has the same content now; nil ends that. Waits for
    /// a change under way.
    func setMirror(_ file: BackedFile?) { state.withLock { $0.mirror = file } }

    /// Takes over what `file` has otherwise: it was changed through mappings. Nothing may be missing.
    ///
    /// Blocks on the disk. Returns whether anything was.
    func takeOver(from file: BackedFile) throws(FileSystemError) -> Bool {
        let piece = 1 << 20
        let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * piece, alignment: 4096)
        defer { memory.deallocate() }
        let before = generation
        var offset: Int64 = 0
        while offset < size {
            let place = offset
            var bytes = UnsafeRawBufferPointer(start: nil, count: 0)
            // Piece by piece under the lock: a write in between goes to both.
            try change(
                onlyIf: { state throws(FileSystemError) in
                    let count = Int(max(0, min(Int64(piece), state.size - place)))
                    let theirs = UnsafeMutableRawBufferPointer(rebasing: memory[..<count])
                    let ours = UnsafeMutableRawBufferPointer(
                        rebasing: memory[piece..<(piece + count)])
                    let both = min(
                        try file.read(at: place, into: theirs),
                        try state.file.read(at: place, into: ours))
                    bytes = UnsafeRawBufferPointer(rebasing: theirs[..<both])
                    return Self.differ(bytes, ours)
                },
                { state throws(FileSystemError) in try state.file.write(bytes, at: place) })
            offset += Int64(piece)
        }
        return generation != before
    }

    /// Whether as many bytes as `one` has are others in `other`.
    private static func differ(
        _ one: UnsafeRawBufferPointer, _ other: UnsafeMutableRawBufferPointer
    ) -> Bool {
        guard let left = one.baseAddress, let right = other.baseAddress else { return false }
        return memcmp(left, right, one.count) != 0
    }
}

extension WorkingCopy.State {
    /// Makes a change to the file that readers see, and to the content. In this order: what a program is
    /// told to have failed is not sent.
    mutating func changeBoth(
        _ body: (ContentFile) throws(FileSystemError) -> Void
    ) throws(FileSystemError) {
        try mirror?.change(body)
        try body(file)
    }
}
