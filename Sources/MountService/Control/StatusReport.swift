/// What `ordner status` shows: what the drivers say, and which mounts have no driver any more.
package struct StatusReport: Codable, Sendable, Hashable {
    package var mounts: [MountReport]
    /// Mount points whose driver doesn't answer.
    package var dead: [String]

    /// Asks every driver of this user, or the one at `location`. Blocks.
    package static func collect(
        for location: MountLocation?, folders: ProgramFolders
    ) throws(ServiceFailure) -> StatusReport {
        let client = ControlClient(folders: folders)
        guard let location else {
            let mounts = try client.allStatuses()
            let dead = MountLocation.ours.subtracting(mounts.map(\.mountPoint))
            return StatusReport(mounts: mounts, dead: dead.sorted())
        }
        if let status = try client.ask(ControlRequest(.status), of: location)?.status {
            return StatusReport(mounts: [status], dead: [])
        }
        guard location.holdsOurMount else {
            throw ServiceFailure(
                "no Ordner mount is on \(location)",
                remedy: "ordner status without a folder lists all mounts.")
        }
        return StatusReport(mounts: [], dead: [location.path])
    }
}
