import FuseAdapter

/// `ordner unmount`: asks the driver to end, and clears what is left of a dead one.
package enum UnmountCommand {
    /// Returns when the mount is gone and its driver has ended. Blocks.
    /// - Parameter lazily: detach even where programs use the mount or the driver is stuck.
    package static func run(
        _ location: MountLocation, lazily: Bool, folders: ProgramFolders
    ) throws(ServiceFailure) {
        do {
            let request = ControlRequest(.unmount, lazily: lazily)
            if try ControlClient(folders: folders).ask(request, of: location) != nil { return }
        } catch {
            guard lazily else { throw error }
        }
        guard location.holdsOurMount else {
            throw ServiceFailure(
                "no Ordner mount is on \(location)", remedy: "ordner status lists the mounts.")
        }
        // Nobody listens: the driver has ended without unmounting.
        try ServiceFailure.translating { () throws(FuseMountError) in
            try Unmounting.unmount(location.path, lazy: true)
        }
    }
}
