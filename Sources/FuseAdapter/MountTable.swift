import Glibc

/// The mounts this process sees (proc(5), /proc/self/mountinfo).
///
/// Reading it never touches a mount, so it can't hang on one that does not answer.
package struct MountTable: Sendable {
    /// One line of the table.
    package struct Mount: Sendable, Equatable {
        /// Unique among the mounts of the moment.
        package var number: Int
        /// The mount this one is mounted on.
        package var parent: Int
        /// The device number that files on it show.
        package var deviceMajor: UInt32
        /// As `deviceMajor`; for FUSE also the number of the connection.
        package var deviceMinor: UInt32
        /// Absolute, without symbolic links.
        package var mountPoint: String
        /// Such as `fuse.ordner`.
        package var type: String
        /// What was given as the source: for FUSE any name.
        package var source: String

        /// Whether a FUSE driver serves it, of whatever kind.
        package var isFuse: Bool { type == "fuse" || type.hasPrefix("fuse.") }
    }

    /// In the order of the file.
    package let mounts: [Mount]

    /// - Parameter text: the content of mountinfo; lines that are none are left out.
    package init(parsing text: String) {
        mounts = text.split(separator: "\n").compactMap(Self.mount)
    }

    /// The table as it is now; empty where /proc is not there.
    package static func current() -> MountTable {
        MountTable(parsing: KernelFile.read("/proc/self/mountinfo") ?? "")
    }

    /// The mount that programs get to at `mountPoint`, an absolute path without symbolic links.
    package func topmost(at mountPoint: String) -> Mount? {
        let stacked = mounts.filter { $0.mountPoint == mountPoint }
        return stacked.last { candidate in !stacked.contains { $0.parent == candidate.number } }
    }

    private static func mount(_ line: Substring) -> Mount? {
        let fields = line.split(separator: " ")
        guard let separator = fields.firstIndex(of: "-"), separator >= 6,
            fields.count > separator + 2, let number = Int(fields[0]), let parent = Int(fields[1])
        else { return nil }
        let device = fields[2].split(separator: ":").compactMap { UInt32($0) }
        guard device.count == 2 else { return nil }
        return Mount(
            number: number, parent: parent, deviceMajor: device[0], deviceMinor: device[1],
            mountPoint: unescaped(fields[4]), type: unescaped(fields[separator + 1]),
            source: unescaped(fields[separator + 2]))
    }

    /// Space, tabulator, line feed and backslash are written as `\` and three octal digits.
    private static func unescaped(_ field: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = field.utf8[...]
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
