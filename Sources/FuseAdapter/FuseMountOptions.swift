import CFuse3

/// How a mount is to be made.
package struct FuseMountOptions: Sendable {
    /// Bytes of the largest read and write request: the most that the kernel can do.
    package static let requestSize = ThreadBuffer.capacity
    /// The part after the dot of the file-system type `fuse.ordner`, as `findmnt` shows it.
    package static let subtype = "ordner"

    /// The folder to mount on.
    package var mountPoint: String
    /// What `df` and `findmnt` show as the source.
    package var fileSystemName: String
    /// Whether other users get in too, as far as permissions allow.
    package var allowOther = false
    /// Whether the kernel refuses all changes with EROFS.
    package var readOnly = false
    /// Whether files have extended attributes. They cost: `ls -l` asks for two of each file, which the
    /// kernel does not keep.
    package var extendedAttributes = true
    /// Whether the file system itself takes the set-user-ID and set-group-ID bits off a file that is
    /// written, cut or given away. The kernel then need not ask for `security.capability` before
    /// each write, which doubles the requests of small writes.
    package var clearsSetIDBits = false
    /// Whether the kernel may read complete files by itself, where it can: as root, since Linux 6.9.
    package var passesThrough = true
    /// Further options for libfuse and the kernel, each as after `-o`. `nonempty` allows a mount
    /// point with entries.
    package var extra: [String] = []
    /// Threads that answer requests.
    package var maximumThreads: UInt32 = 8
    /// Seconds the kernel may trust the answers of getattr and setattr. Remote changes are pushed
    /// to it, so this can be long.
    package var attributeValidity: Double = 60
    /// How long a request may wait for its answer before the watchdog reports it.
    package var overdueAfter: Duration = .seconds(300)
    /// Whether a look-up, open or read that waits for twice `overdueAfter` ends the mount, so that
    /// programs get an error rather than hang.
    package var abortsOverdue = true
    /// How long the end of the session waits for requests that are under way.
    package var drainsFor: Duration = .seconds(60)

    /// Options with the default of everything else.
    package init(mountPoint: String, fileSystemName: String) {
        self.mountPoint = mountPoint
        self.fileSystemName = fileSystemName
    }

    /// The command line libfuse is given.
    package var arguments: [String] {
        var options = [
            "fsname=" + Self.escaped(fileSystemName), "subtype=" + Self.subtype,
            "default_permissions", "max_read=\(Self.requestSize)",
        ]
        if allowOther { options.append("allow_other") }
        if readOnly { options.append("ro") }
        options += extra.filter { $0 != Self.nonEmpty }
        return ["ordner"] + options.flatMap { ["-o", $0] }
    }

    /// Whether the mount point may have entries. libfuse 3 always allows it, and knows no such option.
    package var allowsNonEmpty: Bool { extra.contains(Self.nonEmpty) }

    /// What of linux/fuse.h's `fuse_init_out` libfuse 3.14 does not send.
    ///
    /// FUSE_PARALLEL_DIROPS: without it look-ups in one folder wait for each other.
    var initAdditions: cfuse3_init_additions {
        let parallelDirectoryOperations: UInt32 = 1 << 18
        let handleKillPrivilegesV2: UInt32 = 1 << 28
        var additions = cfuse3_init_additions()
        additions.flags = parallelDirectoryOperations
        if clearsSetIDBits { additions.flags |= handleKillPrivilegesV2 }
        if passesThrough {
            // FUSE_INIT_EXT says that there are flags beyond 32 bits: FUSE_PASSTHROUGH.
            additions.flags |= 1 << 30
            additions.flags2 = 1 << 5
            additions.max_stack_depth = 1
        }
        return additions
    }

    private static let nonEmpty = "nonempty"

    /// libfuse splits the text after `-o` at commas that have no backslash before them.
    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            if character == "," || character == "\\" { result.append("\\") }
            result.append(character)
        }
    }
}
