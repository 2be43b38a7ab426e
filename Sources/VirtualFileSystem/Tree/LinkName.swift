/// How symbolic links are named on the server.
enum LinkName {
    /// Text files with the target in them; the same form that rclone's `--links` writes.
    static let suffix = ".rclonelink"

    static func stored(_ name: String) -> String { name + suffix }

    static func shown(_ name: String) -> String {
        name.utf8.count > suffix.utf8.count ? String(name.dropLast(suffix.count)) : name
    }
}
