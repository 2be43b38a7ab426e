import FuseAdapter
import Glibc
import VirtualFileSystem

/// What a mount is to be: the account, the place, and how it behaves.
package struct MountSettings: Sendable, Hashable {
    /// When the server's lock for a file is taken (DESIGN section 6).
    package enum LockMode: String, Sendable, Hashable, CaseIterable {
        /// When it is opened for writing, where the server allows it.
        case open
        /// Never.
        case off
        /// As `open`, and opening fails where the lock can't be had.
        case require
    }

    /// What becomes of symbolic links, which the clouds don't know.
    package enum SymbolicLinkMode: String, Sendable, Hashable, CaseIterable {
        /// Kept on the server as small files, `NAME.rclonelink`, that hold the target.
        case store
        case refuse
    }

    /// When programs are answered (DESIGN section 1).
    package enum SyncMode: String, Sendable, Hashable, CaseIterable {
        /// When a change is safe on this machine; it goes to the server by itself.
        case none
        /// As `none` for content; for names when the server has the change.
        case names
        /// When the server has the change.
        case all
    }

    package var account: AccountName
    /// `Root/path` below which the mount begins; nil for all roots side by side.
    package var remotePath: String?
    package var location: MountLocation
    package var syncMode = SyncMode.none
    package var lockMode = LockMode.open
    /// How long a lock is asked for at a time.
    package var lockSeconds = 1_800
    package var symbolicLinks = SymbolicLinkMode.store
    /// Absolute; nil for the user's cache folder.
    package var cacheFolder: String?
    /// Bytes of content to keep at most.
    package var cacheLimit: Int64 = 10 << 30
    /// Seconds between two questions for changes on the server.
    package var pollSeconds = 5.0
    /// How many entries are kept in memory; nil for as many as suit.
    package var entriesInMemory: Int?
    package var kernelOptions = KernelMountOptions()

    package init(account: AccountName, remotePath: String?, location: MountLocation) {
        self.account = account
        self.remotePath = remotePath
        self.location = location
    }
}

extension MountSettings {
    /// The same in the file system's terms.
    var fileSystemOptions: MountOptions {
        var options = MountOptions()
        options.path = (remotePath ?? "").split(separator: "/").map(String.init)
        options.synchronization =
            switch syncMode {
            case .none: .none
            case .names: .names
            case .all: .all
            }
        options.locking =
            switch lockMode {
            case .open: .open
            case .off: .off
            case .require: .require
            }
        options.lockSeconds = lockSeconds
        options.symbolicLinks =
            switch symbolicLinks {
            case .store: .store
            case .refuse: .refuse
            }
        options.userID = getuid()
        options.groupID = getgid()
        let mask = umask(0)
        umask(mask)
        options.umask = UInt16(mask & 0o777)
        options.isReadOnly = kernelOptions.isReadOnly
        options.pollSeconds = pollSeconds
        options.hostName = LocalHost.name
        if let entriesInMemory { options.nodeLimit = entriesInMemory }
        options.returnsMemory = { ProcessMemory.returnFree() }
        let prefix = location.path + "/"
        options.hasMountsBelow = {
            MountTable.current().mounts.contains { $0.mountPoint.hasPrefix(prefix) }
        }
        return options
    }

    /// The same in the adapter's terms.
    func fuseOptions(url: String) -> FuseMountOptions {
        var options = FuseMountOptions(
            mountPoint: location.path, fileSystemName: "\(account)@\(url)")
        options.allowOther = kernelOptions.allowsOthers
        options.readOnly = kernelOptions.isReadOnly
        options.extra = kernelOptions.flags
        options.clearsSetIDBits = true
        return options
    }
}

/// What `-o` may set: options of the kernel's mount.
package struct KernelMountOptions: Sendable, Hashable {
    package var isReadOnly = false
    /// Other users of the machine may enter; needs `user_allow_other` in /etc/fuse.conf or root.
    package var allowsOthers = false
    /// Others that mount(8) knows, such as `noexec`, in the order given.
    package var flags: [String] = []

    package init() {}

    /// Reads a list as mount(8) has it: `ro,allow_other`.
    package init(list: String) throws(ServiceFailure) {
        for option in list.split(separator: ",") {
            switch option {
            case "ro": isReadOnly = true
            case "rw": isReadOnly = false
            case "allow_other": allowsOthers = true
            case "exec", "noexec", "suid", "nosuid", "dev", "nodev", "nonempty":
                flags.append(String(option))
            case "defaults", "auto", "noauto", "user", "nofail", "_netdev": break
            default:
                throw ServiceFailure(
                    "the mount option '\(option)' is not known",
                    remedy: "-o takes ro, rw, allow_other, exec, noexec, suid, nosuid, dev, nodev, "
                        + "nonempty.")
            }
        }
    }
}
