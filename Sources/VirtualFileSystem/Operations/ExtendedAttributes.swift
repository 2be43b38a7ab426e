import CloudStorage
import FileSystemTypes
import StateStore
import Synchronization

/// Extended attributes: `user.*` is kept in the state table, `user.ordner.*` shows what is known.
extension VirtualFileSystem {
    static let virtualPrefix = "user.ordner."
    static let lockAttribute = "user.ordner.lock"
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
        if name == Self.lockAttribute { return lock(node, value) }
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
        if name == Self.lockAttribute {
            return pending { () throws(FileSystemError) in try await self.unlock(node) }
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

    /// Takes the server's lock, for as many seconds as the value says, or until the attribute is removed.
    private func lock(_ node: UInt64, _ value: [UInt8]) -> Outcome<Void> {
        let text = String(decoding: value, as: UTF8.self)
        let seconds = Int(text)
        guard text.isEmpty || (seconds.map { $0 > 0 } ?? false) else {
            return .failure(.invalidArgument, "\(Self.lockAttribute) takes a number of seconds")
        }
        return pending { () throws(FileSystemError) in
            try await self.lock(node, seconds: seconds)
        }
    }

    private func inode(of node: UInt64) throws(FileSystemError) -> InodeNumber {
        try tree.withLock { tree throws(FileSystemError) in try tree.node(node).inode }
    }

    /// What the driver knows of a node, by attribute name.
    private func virtualAttributes(of node: UInt64) -> [String: String] {
        let kept = keptLocks.withLock { $0 }
        return tree.withLock { tree in
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
            let foreign = tree.foreignLock(on: known)
            values["user.ordner.locked"] = known.server.map { _ in foreign == nil ? "no" : "yes" }
            let isHeld = known.server.map { kept.isHeld($0.reference) } ?? false
            values["user.ordner.lock"] = known.holdsLock || isHeld ? "held" : nil
            values["user.ordner.lock.holder"] = foreign?.holder
            values["user.ordner.lock.until"] = foreign?.expires.map { String($0.seconds) }
            return values
        }
    }
}
