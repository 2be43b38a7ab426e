import Glibc

/// The kernel's side of a FUSE mount, known by the device number the mount table shows.
package struct FuseConnection: Sendable, Equatable {
    let major: UInt32
    let minor: UInt32

    /// The connection behind a mount.
    package init(_ mount: MountTable.Mount) {
        major = mount.deviceMajor
        minor = mount.deviceMinor
    }

    /// Whether `mount` is a mount of this connection.
    func isOf(_ mount: MountTable.Mount) -> Bool {
        mount.deviceMajor == major && mount.deviceMinor == minor
    }

    /// Makes every waiting request fail and the mount dead, without a word to the driver
    /// (fusectl, Documentation/filesystems/fuse.rst). The mount stays in the tree.
    package func abort() throws(FuseMountError) {
        let folder = "/sys/fs/fuse/connections"
        let error = KernelFile.write("1", to: "\(folder)/\(minor)/abort")
        guard error != 0 else { return }
        throw FuseMountError(
            .refused,
            "The connection \(minor) could not be aborted: \(Unmounting.text(error)). "
                + "If \(folder) is empty: mount -t fusectl none \(folder), as root.")
    }

    /// Lets the kernel read ahead 1 MiB instead of 128 KiB, so that requests are as large. Only root
    /// may; without it everything works, in smaller requests. To be called after INIT is answered:
    /// that caps the figure.
    func raiseReadAhead() {
        _ = KernelFile.write("1024", to: "/sys/class/bdi/\(major):\(minor)/read_ahead_kb")
    }
}
