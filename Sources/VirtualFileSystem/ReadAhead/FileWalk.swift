/// Recognises a program that reads the small files of a folder in their order, and says which to
/// fetch before it asks. The order of files is that of their numbers.
///
/// A value without I/O, clock or lock.
package struct FileWalk: Sendable {
    /// What opening a file asks for.
    package enum Step: Sendable, Equatable {
        case nothing
        /// `setOrder` is to be told the folder's small files behind a number.
        case order(of: UInt64, after: UInt64)
        /// `next` may have files of the folder to fetch.
        case more(in: UInt64)
    }

    private struct Folder {
        var window = AheadWindow(first: 4, limit: 64)
        /// The file that was opened last.
        var last: UInt64 = 0
        var usedAt: Double
        /// What comes next, the next one last.
        var queue: [UInt64] = []
        /// Looks at the folder's order since a file was used that had been fetched ahead.
        var rejections = 0

        /// A look costs as much as the folder is large: where it was often in vain, it is seldom done.
        var isWorthALook: Bool {
            mutating get {
                if rejections >= 8 { rejections += 1 }
                return rejections < 8 || rejections.nonzeroBitCount == 1
            }
        }
    }

    /// Folders in which reading is followed at one time.
    package static let folderLimit = 16
    /// Bytes on their way at most.
    package static let byteLimit: Int64 = 8 << 20
    /// Seconds in which a walk that ended in one folder goes on in another.
    package static let carriesOver: Double = 2
    /// A walk may pass over so many files.
    package static let allowedGap = 1

    private var folders: [UInt64: Folder] = [:]
    private var bytesUnderWay: Int64 = 0
    /// The window where the last file that had been fetched ahead was used, and when.
    private var lastHit: (size: Int, at: Double) = (0, -.infinity)

    package init() {}

    /// A program opens a file for reading.
    /// - Parameter isHere: whether its content was on this machine.
    package mutating func opened(
        _ file: UInt64, in parent: UInt64, isHere: Bool, at now: Double
    ) -> Step {
        guard !isHere || folders[parent] != nil else { return .nothing }
        var folder = folders[parent] ?? Folder(usedAt: now)
        defer {
            folders[parent] = folder
            forgetOldFolders()
        }
        let last = now - folder.usedAt < AheadWindow.forgetsAfter ? folder.last : 0
        folder.last = file
        folder.usedAt = now
        if folder.window.used(file, at: now) {
            lastHit = (folder.window.size, now)
            folder.rejections = 0
            return .more(in: parent)
        }
        guard !isHere else { return .nothing }
        folder.window.missed(passed: file)
        folder.queue = []
        // In a folder that nothing was read from, a walk through another may go on with its first file.
        let goesOn = now - lastHit.at < Self.carriesOver
        guard last > 0 ? last < file : goesOn, folder.isWorthALook else { return .nothing }
        return .order(of: parent, after: last)
    }

    /// Takes a folder's small files behind the one that was opened before, in order; follows the
    /// program where it opened one of the first of them.
    package mutating func setOrder(_ files: [UInt64], of parent: UInt64, at now: Double) {
        guard var folder = folders[parent] else { return }
        defer { folders[parent] = folder }
        guard let index = files.prefix(Self.allowedGap + 1).firstIndex(of: folder.last) else {
            folder.rejections += 1
            return
        }
        let goesOn = now - lastHit.at < Self.carriesOver
        folder.window.open(atLeast: goesOn ? lastHit.size / 2 : 0, at: now)
        folder.queue = files[(index + 1)...].reversed()
    }

    /// The next file of a folder to fetch, which counts as begun.
    package mutating func next(in parent: UInt64) -> UInt64? {
        guard folders[parent]?.window.room ?? 0 > 0, bytesUnderWay < Self.byteLimit,
            let file = folders[parent]?.queue.popLast()
        else { return nil }
        folders[parent]?.window.begin(file)
        return file
    }

    /// Whether so many bytes may be fetched now for another reason; they count as under way then.
    package mutating func admit(_ bytes: Int64) -> Bool {
        guard bytesUnderWay < Self.byteLimit else { return false }
        bytesUnderWay += bytes
        return true
    }

    /// A file that `next` returned is being fetched.
    package mutating func began(_ bytes: Int64) { bytesUnderWay += bytes }

    package mutating func ended(_ bytes: Int64) { bytesUnderWay -= bytes }

    /// A file that `next` returned needs no fetching, or can't be fetched.
    package mutating func drop(_ file: UInt64, in parent: UInt64) {
        folders[parent]?.window.drop(file)
    }

    private mutating func forgetOldFolders() {
        guard folders.count > Self.folderLimit,
            let oldest = folders.min(by: { $0.value.usedAt < $1.value.usedAt })
        else { return }
        folders[oldest.key] = nil
    }
}
