package import FileSystemTypes

/// Who makes a request, as the kernel tells it.
package struct Caller: Sendable, Equatable {
    package var userID: UInt32
    package var groupID: UInt32
    package var processID: Int32

    package init(userID: UInt32, groupID: UInt32, processID: Int32) {
        self.userID = userID
        self.groupID = groupID
        self.processID = processID
    }
}

/// A name's inode with its attributes, as `lookup`, `create`, `mkdir` and `symlink` answer.
///
/// Each one handed to the kernel counts as one reference that a later `forget` returns.
package struct Entry: Sendable, Equatable {
    /// The kernel's node id. It is not always `attributes.inode`: a new remote version of an open
    /// file gets a new node under the same inode number.
    package var node: UInt64
    package var attributes: FileAttributes
    /// Seconds the kernel may trust name and attributes.
    package var validity: Double

    package init(node: UInt64, attributes: FileAttributes, validity: Double) {
        self.node = node
        self.attributes = attributes
        self.validity = validity
    }
}

/// How a file was opened.
package struct OpenOptions: OptionSet, Sendable {
    package let rawValue: UInt8

    package init(rawValue: UInt8) { self.rawValue = rawValue }

    package static let read = OpenOptions(rawValue: 1)
    package static let write = OpenOptions(rawValue: 2)
    package static let truncate = OpenOptions(rawValue: 4)
    package static let append = OpenOptions(rawValue: 8)
    /// `create` fails where the name exists.
    package static let exclusive = OpenOptions(rawValue: 16)
    /// Past the page cache (`O_DIRECT`).
    package static let direct = OpenOptions(rawValue: 32)
}

/// An open file.
package struct OpenedFile: Sendable, Equatable {
    package var handle: UInt64
    /// Whether pages the kernel has cached of the node are still its content.
    package var keepsCache: Bool
    /// Whether `flush` has anything to do when a program closes it.
    package var needsFlush: Bool
    /// The local file that the kernel takes for it, where it does.
    package var backing: Backing?

    /// A local file in the place of a driver (FUSE passthrough).
    package struct Backing: Sendable, Equatable {
        /// The kernel's for the file (see `BackingFiles`).
        package var number: Int32
        /// Only for mappings: what is read and written comes to the driver.
        package var isOnlyMapped: Bool

        package init(number: Int32, isOnlyMapped: Bool) {
            self.number = number
            self.isOnlyMapped = isOnlyMapped
        }
    }

    package init(handle: UInt64, keepsCache: Bool, needsFlush: Bool, backing: Backing? = nil) {
        self.handle = handle
        self.keepsCache = keepsCache
        self.needsFlush = needsFlush
        self.backing = backing
    }
}

/// An open folder.
package struct OpenedFolder: Sendable, Equatable {
    package var handle: UInt64
    /// Whether the kernel may keep what it reads by this handle.
    package var isCacheable: Bool
    /// Whether what it has kept of the listing is still right.
    package var keepsCache: Bool

    package init(handle: UInt64, isCacheable: Bool, keepsCache: Bool) {
        self.handle = handle
        self.isCacheable = isCacheable
        self.keepsCache = keepsCache
    }
}

/// The answer of `create`.
package struct CreatedFile: Sendable, Equatable {
    package var entry: Entry
    package var file: OpenedFile

    package init(entry: Entry, file: OpenedFile) {
        self.entry = entry
        self.file = file
    }
}

/// One line of a folder listing. `.` and `..` are the first two.
package struct DirectoryEntry: Sendable, Equatable {
    package var name: String
    package var inode: InodeNumber
    package var kind: FileKind

    package init(name: String, inode: InodeNumber, kind: FileKind) {
        self.name = name
        self.inode = inode
        self.kind = kind
    }
}

/// A time to set: a given one or the present.
package enum TimeChange: Sendable, Equatable {
    case now
    case time(FileTime)
}

/// What `setattr` is to change; nil leaves a field as it is.
package struct AttributeChanges: Sendable, Equatable {
    package var size: Int64?
    /// Permission bits.
    package var mode: UInt16?
    package var userID: UInt32?
    package var groupID: UInt32?
    package var accessed: TimeChange?
    package var modified: TimeChange?

    package init() {}
}

/// How `rename` treats an existing target (renameat2(2)).
package enum RenameMode: Sendable, Equatable {
    case replace
    case noReplace
    case exchange
}

/// What `fallocate(2)` is to do.
package enum AllocationMode: Sendable, Equatable {
    /// The file grows to hold the range.
    case allocate
    /// Space is reserved; the size stays.
    case keepSize
    /// The range reads as zeros; the size stays.
    case punchHole
    /// The range reads as zeros; `keepSize` tells whether the file may grow.
    case zeroRange(keepSize: Bool)
}

/// What `lseek` looks for.
package enum SeekTarget: Sendable, Equatable {
    case data
    case hole
}

/// How `setxattr` treats an existing value.
package enum AttributeReplacement: Sendable, Equatable {
    case either
    case createOnly
    case replaceOnly
}

/// The answer of `readNow`.
package enum ReadAnswer: Sendable, Equatable {
    /// So many bytes are in the buffer; fewer than asked for at the end of the file.
    case bytes(Int)
    case failure(FileSystemError.Code)
    /// Not on this machine yet: call `read`.
    case later
}

/// Bytes that `read` fetched, in memory of their own.
package final class ReadBuffer: Sendable {
    // Written only before it is handed out.
    nonisolated(unsafe) package let bytes: UnsafeMutableRawBufferPointer
    /// Of `bytes`, how many are content.
    package let count: Int

    /// Takes ownership of `bytes`, which `UnsafeMutableRawBufferPointer.allocate` made.
    package init(owning bytes: UnsafeMutableRawBufferPointer, count: Int) {
        self.bytes = bytes
        self.count = count
    }

    deinit { bytes.deallocate() }
}

/// Tells the kernel what it must no longer trust.
///
/// Calls return at once and may come from any thread, inside a request too: the implementation
/// hands them to a thread of its own (libfuse README.notifications).
package protocol KernelNotifier: Sendable {
    /// The kernel forgets attributes and cached pages of a node.
    func invalidateContent(ofNode node: UInt64)
    /// The kernel forgets pages of a node that are as they should be, to free memory.
    func dropPages(_ range: ByteRange, ofNode node: UInt64)
    /// The kernel forgets a node's attributes but keeps its pages.
    func invalidateAttributes(ofNode node: UInt64)
    /// The kernel forgets what a name in a folder stands for.
    func invalidateEntry(parent: UInt64, name: String)
}

/// Local files that the kernel uses by itself in the place of files of the mount (FUSE passthrough).
///
/// While one program has a file open so, the kernel wants the same of all others that open the node,
/// for writing too (linux, fs/fuse/iomode.c). Calls return at once and may come from any thread.
package protocol BackingFiles: Sendable {
    /// Hands over an open file; nil where the kernel doesn't take it. The descriptor stays the caller's.
    func open(_ descriptor: Int32) -> Int32?
    /// Takes it back; who has it open keeps it.
    func close(_ number: Int32)
}
