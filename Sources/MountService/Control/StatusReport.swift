/// `ordner status`: what the drivers say, and which mounts have no driver any more.
package struct StatusReport: Codable, Sendable, Hashable {
    package var mounts: [MountStatus]
    /// Mount points whose driver doesn't answer.
    package var dead: [String]

    /// Asks every driver of this user, or the one of `mountPoint`. Blocks.
    package static func collect(
        for mountPoint: MountPoint?, folders: ProgramFolders
    ) throws(ServiceFailure) -> StatusReport {
        let client = ControlClient(folders: folders)
        let table = try MountTable.current()
        guard let mountPoint else {
            let mounts = try client.allStatuses()
            let alive = Set(mounts.map(\.mountPoint))
            let dead = Set(table.ours.map(\.mountPoint)).subtracting(alive)
            return StatusReport(mounts: mounts, dead: dead.sorted())
        }
        if let status = try client.ask(ControlRequest(.status), of: mountPoint)?.status {
            return StatusReport(mounts: [status], dead: [])
        }
        guard table.mount(on: mountPoint.path)?.type == MountTable.ourType else {
            throw ServiceFailure(
                "no Ordner mount is on \(mountPoint)",
                remedy: "ordner status without a folder lists all mounts.")
        }
        return StatusReport(mounts: [], dead: [mountPoint.path])
    }
}
