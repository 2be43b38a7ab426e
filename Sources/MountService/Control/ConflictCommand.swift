import Glibc

/// `ordner conflicts`: the files of which two versions are kept, and what becomes of them.
package enum ConflictCommand {
    /// A conflict, with paths on this machine.
    package struct Conflict: Codable, Sendable, Hashable {
        /// This machine's version.
        package var copy: String
        /// The server's version.
        package var original: String
        package var mount: String
    }

    /// What to keep.
    package enum Choice: String, Sendable, Hashable, CaseIterable {
        /// This machine's version gets the name; the server's goes.
        case mine
        /// This machine's version goes.
        case theirs
        /// Both stay as two files.
        case both
    }

    /// Those of every mount, or of one. Blocks.
    package static func list(
        of location: MountLocation?, folders: ProgramFolders
    ) throws(ServiceFailure) -> [Conflict] {
        try StatusReport.collect(for: location, folders: folders).mounts.flatMap { mount in
            mount.conflicts.map {
                Conflict(
                    copy: mount.mountPoint + $0.copy, original: mount.mountPoint + $0.original,
                    mount: mount.mountPoint)
            }
        }
    }

    /// Decides one, named by either of its two paths. Blocks.
    package static func resolve(
        _ text: String, _ choice: Choice, folders: ProgramFolders
    ) throws(ServiceFailure) {
        let path = LocalPath.absolute(text)
        let known = try list(of: nil, folders: folders)
        let matches = known.filter { conflict in
            [conflict.copy, conflict.original].contains { other in
                other == path || other == LocalPath.resolved(path)
            }
        }
        guard let conflict = matches.first else {
            throw ServiceFailure(
                "\(text) is no conflict", remedy: "ordner conflicts lists them.")
        }
        guard matches.count == 1 else {
            throw ServiceFailure(
                "\(text) is part of \(matches.count) conflicts",
                remedy: "Name the copy to decide on, as ordner conflicts lists it.")
        }
        switch choice {
        case .mine:
            guard rename(conflict.copy, conflict.original) == 0 else {
                throw .system("rename \(conflict.copy) to \(conflict.original)")
            }
        case .theirs:
            guard unlink(conflict.copy) == 0 else { throw .system("delete \(conflict.copy)") }
        case .both: break
        }
        var request = ControlRequest(.forgetConflict)
        request.path = [
            String(conflict.copy.dropFirst(conflict.mount.count)),
            String(conflict.original.dropFirst(conflict.mount.count)),
        ]
        let location = MountLocation(resolving: conflict.mount)
        _ = try ControlClient(folders: folders).ask(request, of: location)
    }
}
