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
    package var readOnly = false
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

    private static let nonEmpty = "nonempty"

    /// libfuse splits the text after `-o` at commas that have no backslash before them.
    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            if character == "," || character == "\\" { result.append("\\") }
            result.append(character)
        }
    }
}
