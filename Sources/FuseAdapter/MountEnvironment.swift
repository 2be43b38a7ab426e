import Glibc

/// What a mount needs of the system.
enum MountEnvironment {
    static let device = "/dev/fuse"
    static let helper = "fusermount3"

    /// Throws what is missing, with the remedy.
    static func check(_ options: FuseMountOptions) throws(FuseMountError) {
        try checkDevice()
        guard geteuid() != 0 else { return }
        guard helperPath() != nil else {
            throw FuseMountError(
                .helperMissing,
                "Mounting as a user needs \(helper). Install the package fuse3, or mount as root.")
        }
        guard !options.allowOther || configurationAllowsOther() else {
            throw FuseMountError(
                .allowOtherForbidden,
                "allow_other needs the line user_allow_other in /etc/fuse.conf. "
                    + "Ask the administrator for it, or mount without allow_other.")
        }
    }

    private static func checkDevice() throws(FuseMountError) {
        guard access(device, R_OK | W_OK) != 0 else { return }
        switch errno {
        case ENOENT, ENODEV, ENXIO:
            throw FuseMountError(
                .deviceMissing,
                "There is no \(device). Load the kernel module (modprobe fuse); a container has to be "
                    + "started with --device \(device) --cap-add SYS_ADMIN.")
        default:
            throw FuseMountError(
                .deviceForbidden,
                "\(device) may not be opened by this user. It should have mode 0666 "
                    + "(chmod 666 \(device) as root; udev of the package fuse3 sets it).")
        }
    }

    /// The path of fusermount3 along `PATH`.
    static func helperPath() -> String? {
        let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/bin:/bin"
        return path.split(separator: ":").map { "\($0)/\(helper)" }.first { access($0, X_OK) == 0 }
    }

    private static func configurationAllowsOther() -> Bool {
        let lines = (KernelFile.read("/etc/fuse.conf") ?? "").split(separator: "\n")
        return lines.contains { $0.split(separator: " ") == ["user_allow_other"] }
    }
}
