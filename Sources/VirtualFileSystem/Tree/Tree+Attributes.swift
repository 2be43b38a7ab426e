import CloudStorage
import FileSystemTypes
import StateStore

extension Tree {
    /// What `stat` shows of a node.
    func attributes(of node: Node, options: MountOptions) -> FileAttributes {
        let times = times(of: node)
        return FileAttributes(
            inode: node.inode, kind: node.kind, size: size(of: node), mode: mode(of: node, options),
            userID: node.overlay.userID ?? options.userID,
            groupID: node.overlay.groupID ?? options.groupID,
            linkCount: linkCount(of: node), accessed: node.overlay.accessed ?? times.modified,
            modified: times.modified, changed: times.changed)
    }

    func entry(for node: Node, options: MountOptions) -> Entry {
        Entry(
            node: node.id, attributes: attributes(of: node, options: options),
            validity: options.entrySeconds)
    }

    /// Bytes; a folder shows the size of a block, as local file systems do.
    func size(of node: Node) -> Int64 {
        switch node.kind {
        case .folder: 4096
        case .symbolicLink:
            node.symlinkTarget.map { Int64($0.utf8.count) } ?? node.server?.size ?? 0
        case .file: node.working?.size ?? node.server?.size ?? Int64(node.notice?.count ?? 0)
        }
    }

    private func mode(of node: Node, _ options: MountOptions) -> UInt16 {
        if node.kind == .symbolicLink { return 0o777 }
        var mode = node.overlay.mode ?? (node.isFolder ? 0o777 : 0o666) & ~options.umask
        if options.isReadOnly || !permissions(of: node).contains(.write) { mode &= ~0o222 }
        // So that editors open it read-only by themselves; office programs would not look for the owner
        // file of a document that they may not write.
        if options.locking != .off, node.kind == .file, !OwnerFileName.isDocument(node.name),
            foreignLock(on: node) != nil
        {
            mode &= ~0o222
        }
        return mode
    }

    /// What the account may do with a node; what is only on this machine is as its folder.
    func permissions(of node: Node) -> ItemPermissions {
        if let server = node.server { return server.permissions }
        guard let parent = node.parent, parent != node.id, let folder = nodes[parent] else {
            return node.id == Tree.rootID ? .read : .all
        }
        return permissions(of: folder)
    }

    /// The modification time that is shown of a node.
    func modified(of node: Node) -> FileTime { times(of: node).modified }

    private func times(of node: Node) -> (modified: FileTime, changed: FileTime) {
        if let written = node.working?.unnotedTime { return (written, written) }
        let zero = FileTime(seconds: 0)
        let server = node.server?.modified
        let isCurrent =
            node.working != nil || node.isFolder || node.server == nil
            || node.overlay.revision == node.server?.revision
        let modified = (isCurrent ? node.overlay.modified : nil) ?? server ?? zero
        let changed = (isCurrent ? node.overlay.changed : nil) ?? server ?? modified
        return (modified, max(changed, zero))
    }

    /// 1 for folders too, which tells `find` that link counts say nothing about subfolders.
    private func linkCount(of node: Node) -> UInt32 {
        if node.parent == nil && node.id != Tree.rootID { return 0 }
        return 1
    }
}
