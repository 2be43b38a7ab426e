import CloudStorage
import FileSystemTypes
import StateStore
import Synchronization

/// Extended attributes: `user.*` is kept in the state table, `user.ordner.*` shows what is known.
extension VirtualFileSystem {
    static let virtualPrefix = "user.ordner."
    static let largestValue = 65_536

    package func getxattr(node: UInt64, name: String) -> Outcome<[UInt8]> {
        guard name.hasPrefix("user.") else {
            return .failure(.notSupported, "only user.* attributes are kept")
        }
        if name.hasPrefix(Self.virtualPrefix) {
            guard let value = virtualAttributes(of: node)[name] else {
                return .failure(.noAttribute, "no such attribute")
            }
            return .success(Array(value.utf8))
        }
        return pending { () throws(FileSystemError) in
            guard let value = try await self.store.attributes(of: self.inode(of: node))[name] else {
                throw FileSystemError(.noAttribute, "no such attribute")
            }
            return value
        }
    }

    package func listxattr(node: UInt64) -> Outcome<[String]> {
        pending { () throws(FileSystemError) in
            let kept = try await self.store.attributes(of: self.inode(of: node)).keys
            // Tools that copy attributes must not try to set what only shows state.
            return kept.sorted()
        }
    }

    package func setxattr(
        node: UInt64, name: String, value: [UInt8], replacement: AttributeReplacement
    ) -> Outcome<Void> {
        guard !options.isReadOnly else { return .failure(.readOnly, "the mount is read-only") }
        guard name.hasPrefix("user.") else {
            return .failure(.notSupported, "only user.* attributes are kept")
        }
        guard !name.hasPrefix(Self.virtualPrefix) else {
            return .failure(.notPermitted, "\(name) can't be set")
        }
        guard value.count <= Self.largestValue, name.utf8.count <= 255 else {
            return .failure(.rangeError, "name or value too long")
        }
        return pending { () throws(FileSystemError) in
            let inode = try self.inode(of: node)
            let exists = try await self.store.attributes(of: inode)[name] != nil
            if replacement == .createOnly, exists {
                throw FileSystemError(.exists, "the attribute exists")
            }
            if replacement == .replaceOnly, !exists {
                throw FileSystemError(.noAttribute, "no such attribute")
            }
            try await self.store.commit(
                [.setAttribute(inode, name: name, value: value)], durability: .normal)
        }
    }

    package func removexattr(node: UInt64, name: String) -> Outcome<Void> {
        guard !options.isReadOnly else { return .failure(.readOnly, "the mount is read-only") }
        guard name.hasPrefix("user.") else {
            return .failure(.notSupported, "only user.* attributes are kept")
        }
        return pending { () throws(FileSystemError) in
            let inode = try self.inode(of: node)
            guard try await self.store.attributes(of: inode)[name] != nil else {
                throw FileSystemError(.noAttribute, "no such attribute")
            }
            try await self.store.commit(
                [.removeAttribute(inode, name: name)], durability: .normal)
        }
    }

    private func inode(of node: UInt64) throws(FileSystemError) -> InodeNumber {
        try tree.withLock { tree throws(FileSystemError) in try tree.node(node).inode }
    }

    /// What the driver knows of a node, by attribute name.
    private func virtualAttributes(of node: UInt64) -> [String: String] {
        tree.withLock { tree in
            guard let known = tree.nodes[node] else { return [:] }
            var values: [String: String] = [:]
            values["user.ordner.state"] =
                if known.isLocalOnly {
                    "local"
                } else if let working = known.working, !working.isSaved {
                    known.saveError == nil ? "changed" : "failed"
                } else {
                    "stored"
                }
            values["user.ordner.error"] = known.saveError?.message
            values["user.ordner.id"] = known.server?.reference.id
            values["user.ordner.root"] = known.server?.reference.root.rawValue
            values["user.ordner.revision"] = known.server?.revision
            values["user.ordner.locked"] = known.server.map { $0.isLocked ? "yes" : "no" }
            values["user.ordner.lock"] = known.holdsLock ? "held" : nil
            return values
        }
    }
}
