import FuseAdapter
import Glibc

/// The folder that a cloud is mounted on.
package struct MountLocation: Hashable, Sendable, CustomStringConvertible {
    /// Absolute, without symbolic links.
    package let path: String

    package var description: String { path }

    /// Finds the folder's real path without touching what is mounted on it, which may be dead.
    package init(resolving text: String) {
        let absolute = LocalPath.absolute(text)
        let (parent, name) = LocalPath.split(absolute)
        let direct = name.isEmpty ? "/" : LocalPath.join(LocalPath.resolved(parent), name)
        let isMounted = MountTable.current().topmost(at: direct) != nil
        path = isMounted ? direct : LocalPath.resolved(direct)
    }

    /// Whether Ordner has mounted here, alive or dead.
    var holdsOurMount: Bool {
        MountTable.current().topmost(at: path).map { Self.isOurs($0.type) } ?? false
    }

    /// Every place where Ordner has mounted, alive or dead.
    static var ours: Set<String> {
        Set(MountTable.current().mounts.filter { isOurs($0.type) }.map(\.mountPoint))
    }

    /// Makes the folder where it is missing, and refuses places that would make the driver wait
    /// for itself. Blocks.
    /// - Parameter ownFolders: cache and state of the account.
    func prepare(ownFolders: [String]) throws(ServiceFailure) {
        for folder in ownFolders {
            let real = LocalPath.resolved(folder)
            guard !LocalPath.contains(path, real), !LocalPath.contains(real, path) else {
                throw ServiceFailure(
                    "\(path) and the driver's own folder \(real) lie within one another",
                    remedy: "Mount elsewhere, or choose another --cache-dir.")
            }
        }
        if mkdir(path, 0o700) != 0 && ![EEXIST, ENOTCONN].contains(errno) {
            throw ServiceFailure(
                "can't make the folder \(path): \(String(cString: strerror(errno)))",
                remedy: "Make it yourself, or choose another.")
        }
    }

    /// Takes our mount out of the tree, for a driver that ends in the next moment whatever comes of
    /// it: the kernel then fails what still waits. Blocks.
    func detach() {
        guard holdsOurMount else { return }
        try? Unmounting.unmount(path, lazy: true)
    }

    private static func isOurs(_ type: String) -> Bool {
        type == "fuse.\(FuseMountOptions.subtype)"
    }
}
