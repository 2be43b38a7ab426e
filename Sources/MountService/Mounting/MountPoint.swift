import FoundationEssentials
import Glibc

/// The folder that a cloud is mounted on.
package struct MountPoint: Hashable, Sendable, CustomStringConvertible {
    /// Absolute, without symbolic links.
    package let path: String

    package var description: String { path }

    /// Finds the folder's real path without touching what is mounted on it, which may be dead.
    package init(resolving text: String) throws(ServiceFailure) {
        let absolute = LocalPath.absolute(text)
        let (parent, name) = LocalPath.split(absolute)
        let direct = name.isEmpty ? "/" : LocalPath.join(LocalPath.real(parent) ?? parent, name)
        if try MountTable.current().mount(on: direct) != nil {
            path = direct
        } else {
            path = LocalPath.real(direct) ?? direct
        }
    }

    /// Makes sure that a mount can be made here: clears a dead one of ours, makes the folder where
    /// it is missing, and refuses places that would make the driver wait for itself.
    /// - Parameter ownFolders: cache and state of the account.
    func prepare(ownFolders: [String]) throws(ServiceFailure) {
        if let mount = try MountTable.current().mount(on: path), mount.type.hasPrefix("fuse") {
            guard mount.type == MountTable.ourType, isDead else {
                throw ServiceFailure(
                    "something is already mounted on \(path)",
                    remedy: "Unmount it first: ordner unmount \(path)")
            }
            try Unmounting.detachDead(path)
        }
        if mkdir(path, 0o700) != 0 && errno != EEXIST {
            throw ServiceFailure(
                "can't make the folder \(path): \(String(cString: strerror(errno)))",
                remedy: "Make it yourself, or choose another.")
        }
        var information = stat()
        guard stat(path, &information) == 0 else { throw .system("reach \(path)") }
        guard information.st_mode & S_IFMT == S_IFDIR else {
            throw ServiceFailure("\(path) is not a folder", remedy: "Choose a folder to mount on.")
        }
        for folder in ownFolders {
            let real = LocalPath.real(folder) ?? folder
            guard !LocalPath.contains(path, real), !LocalPath.contains(real, path) else {
                throw ServiceFailure(
                    "\(path) and the driver's own folder \(real) lie within one another",
                    remedy: "Mount elsewhere, or choose another --cache-dir.")
            }
        }
    }

    /// Whether the driver behind the mount has ended (`kill -9`): stat then fails at once.
    private var isDead: Bool {
        var information = stat()
        return stat(path, &information) != 0 && errno == ENOTCONN
    }
}

/// Paths of this machine as text.
package enum LocalPath {
    /// From the current folder, without `.`, `..` and double slashes; links stay.
    package static func absolute(_ path: String) -> String {
        let full =
            path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        var parts: [Substring] = []
        for part in full.split(separator: "/") {
            switch part {
            case ".": continue
            case "..": _ = parts.popLast()
            default: parts.append(part)
            }
        }
        return "/" + parts.joined(separator: "/")
    }

    /// Without symbolic links; nil where it does not exist.
    static func real(_ path: String) -> String? {
        guard let resolved = realpath(path, nil) else { return nil }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    static func split(_ path: String) -> (parent: String, name: String) {
        guard let slash = path.lastIndex(of: "/") else { return ("/", path) }
        let parent = slash == path.startIndex ? "/" : String(path[..<slash])
        return (parent, String(path[path.index(after: slash)...]))
    }

    static func join(_ folder: String, _ name: String) -> String {
        folder == "/" ? "/" + name : folder + "/" + name
    }

    /// Whether `path` is `folder` or below it.
    static func contains(_ folder: String, _ path: String) -> Bool {
        path == folder || folder == "/" || path.hasPrefix(folder + "/")
    }
}
