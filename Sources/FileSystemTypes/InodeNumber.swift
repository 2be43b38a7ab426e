/// Identifies one file or folder of the mount for as long as its state is kept.
///
/// Numbers are never used twice and stay the same over a remount.
package struct InodeNumber: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// The number as the kernel sees it.
    package let rawValue: UInt64

    package init(_ rawValue: UInt64) { self.rawValue = rawValue }

    /// The top of the mount, FUSE's own root number (libfuse `FUSE_ROOT_ID`).
    package static let root = InodeNumber(1)

    package static func < (left: InodeNumber, right: InodeNumber) -> Bool {
        left.rawValue < right.rawValue
    }

    package var description: String { String(rawValue) }
}
