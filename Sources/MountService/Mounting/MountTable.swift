import Glibc

/// The mounts of this machine, as /proc/self/mountinfo lists them (proc_pid_mountinfo(5)).
package struct MountTable: Sendable {
    /// One line.
    package struct Mount: Sendable, Hashable {
        package var mountPoint: String
        /// `fuse.ordner`, `ext4`, ….
        package var type: String
        package var source: String
    }

    /// From the first made to the last.
    package let mounts: [Mount]

    /// Reads the table; it never touches a mount, so a dead one does no harm.
    package static func current() throws(ServiceFailure) -> MountTable {
        guard let bytes = try LocalFile.read("/proc/self/mountinfo") else {
            throw ServiceFailure("/proc is not mounted")
        }
        return MountTable(text: String(decoding: bytes, as: UTF8.self))
    }

    package init(text: String) {
        mounts = text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ", omittingEmptySubsequences: false)
            guard let dash = fields.firstIndex(of: "-"), dash >= 6, fields.count > dash + 2
            else { return nil }
            return Mount(
                mountPoint: Self.unescape(fields[4]), type: String(fields[dash + 1]),
                source: Self.unescape(fields[dash + 2]))
        }
    }

    /// The topmost mount on exactly this path.
    package func mount(on path: String) -> Mount? {
        mounts.last { $0.mountPoint == path }
    }

    /// Mounts made by Ordner, alive or dead.
    package var ours: [Mount] { mounts.filter { $0.type == Self.ourType } }

    /// The type that the driver mounts with: `fuse` and its subtype.
    package static let ourType = "fuse.ordner"

    /// Undoes the octal escapes of space, tab, newline and backslash.
    private static func unescape(_ field: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(field.utf8)[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.count >= 3,
                let code = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
            {
                bytes.append(code)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
