import Glibc

/// Who keeps a file locked with flock(2), as the kernel tells it in /proc/locks.
package enum LockHolder {
    /// The process that holds the lock of a file; nil where the kernel doesn't say. Blocks.
    static func processID(of file: String) throws(ServiceFailure) -> Int32? {
        var status = stat()
        guard stat(file, &status) == 0, let text = try LocalFile.read("/proc/locks") else {
            return nil
        }
        return processID(
            of: identity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)),
            in: String(decoding: text, as: UTF8.self))
    }

    /// As /proc/locks names a file: `MAJOR:MINOR:INODE`, the first two in hexadecimal.
    package static func identity(device: UInt64, inode: UInt64) -> String {
        let major = ((device >> 8) & 0xfff) | ((device >> 32) & ~0xfff)
        let minor = (device & 0xff) | ((device >> 12) & ~0xff)
        func hex(_ number: UInt64) -> String {
            let digits = String(number, radix: 16)
            return digits.count < 2 ? "0" + digits : digits
        }
        return "\(hex(major)):\(hex(minor)):\(inode)"
    }

    /// Reads the lines of /proc/locks: `1: FLOCK  ADVISORY  WRITE 1234 08:01:567 0 EOF`; those that only
    /// wait have an arrow behind the number.
    package static func processID(of identity: String, in locks: String) -> Int32? {
        for line in locks.split(separator: "\n") {
            let words = line.split(separator: " ")
            guard words.count >= 6, words[1] == "FLOCK", words[5] == identity else { continue }
            return Int32(words[4])
        }
        return nil
    }
}
