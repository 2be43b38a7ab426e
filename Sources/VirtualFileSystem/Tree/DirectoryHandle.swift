import FileSystemTypes

/// An open folder: its listing as it was when a program began to read it.
struct DirectoryHandle {
    let node: UInt64
    let parent: UInt64
    /// Whether its reading fills the kernel's pages.
    let fillsPages: Bool
    /// Nil until somebody reads: where the kernel has the listing nobody does.
    var lines: [Line]?

    struct Line {
        let name: String
        let node: UInt64
        let inode: InodeNumber
        let kind: FileKind

        /// The offset at which to go on behind the line. It belongs to the line, so that it stays right
        /// where another handle goes on.
        var cookie: UInt64 { node + DirectoryHandle.ownLines }
    }

    /// `.` and `..`, with the cookies 1 and 2.
    static let ownLines: UInt64 = 2

    /// The first line behind a cookie.
    func line(after cookie: UInt64) -> Line? {
        guard let lines else { return nil }
        var low = 0
        var high = lines.count
        while low < high {
            let middle = (low + high) / 2
            if lines[middle].cookie > cookie { high = middle } else { low = middle + 1 }
        }
        return low < lines.count ? lines[low] : nil
    }
}

extension Tree {
    /// What a handle shows behind a cookie (0 at the start, where it forgets its lines); nil at the end.
    mutating func directoryLine(
        _ handle: UInt64, after cookie: UInt64
    ) -> (line: DirectoryEntry, cookie: UInt64)? {
        guard let open = directoryHandles[handle] else { return nil }
        switch cookie {
        case 0:
            directoryHandles[handle]?.lines = nil
            return nodes[open.node].map {
                (DirectoryEntry(name: ".", inode: $0.inode, kind: .folder), 1)
            }
        case 1:
            let above = nodes[open.parent]?.inode ?? .root
            return (DirectoryEntry(name: "..", inode: above, kind: .folder), 2)
        default:
            guard let line = open.line(after: cookie) else { return nil }
            return (
                DirectoryEntry(name: line.name, inode: line.inode, kind: line.kind), line.cookie
            )
        }
    }

    /// The lines that a handle lacks, in no order; nil where it has them.
    func missingLines(of handle: UInt64) -> [DirectoryHandle.Line]? {
        guard let open = directoryHandles[handle], open.lines == nil else { return nil }
        var lines: [DirectoryHandle.Line] = []
        lines.reserveCapacity(nodes[open.node]?.children?.count ?? 0)
        for (name, id) in nodes[open.node]?.children ?? [:] {
            guard let child = nodes[id] else { continue }
            lines.append(.init(name: name.name, node: id, inode: child.inode, kind: child.kind))
        }
        return lines
    }
}
