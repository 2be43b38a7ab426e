import BlockCache
import CloudStorage
package import FileSystemTypes
import Reconciler
import Synchronization

/// Space and state of the mount.
extension VirtualFileSystem {
    /// Shown where the account has no quota: a pebibyte, so that programs that check first go on.
    static let unlimitedBytes: Int64 = 1 << 50

    /// The account's quota as it was last heard; never waits for the server.
    package func statfs(node: UInt64) -> Outcome<FileSystemUsage> {
        let usage = tree.withLock { tree -> FileSystemUsage in
            guard let quota = tree.account?.quota else {
                return FileSystemUsage(
                    totalBytes: Self.unlimitedBytes, freeBytes: Self.unlimitedBytes)
            }
            let used = quota.used + tree.bytesSinceAccount + tree.bytesWaiting
            return FileSystemUsage(
                totalBytes: max(0, quota.total), freeBytes: max(0, quota.total - max(0, used)))
        }
        return .success(usage)
    }

    /// What `ordner status` shows.
    package func status() -> MountStatus {
        let usage = cache.usage
        let own = knownLocks().filter { $0.purpose != .others }
        return tree.withLock { tree in
            var status = MountStatus()
            status.knownInodes = tree.nodes.count
            status.openFiles = tree.handles.count
            status.cachedBytes = usage.bytes
            let known = tree.conflicts
            tree.conflicts = known.filter { !tree.isGone($0.copy) }
            status.conflicts = tree.conflicts
            for node in tree.nodes.values where !node.isLocalOnly {
                let isUnsent = node.parent != nil && node.working?.isSaved == false
                guard isUnsent || node.isUnsettled || node.saveError != nil else { continue }
                guard node.id != Tree.rootID else { continue }
                status.unsent.append(tree.unsent(node))
            }
            status.locks = own.filter { $0.problem == nil }.map(\.path)
            status.lostLocks = own.compactMap { lock in
                lock.problem.map { "\(lock.path): \($0)" }
            }
            return status
        }
    }
}

extension Tree {
    /// Bytes that are to go to the server and are not counted in the quota yet.
    var bytesWaiting: Int64 { work.growth }

    /// Whether a path is known not to exist.
    fileprivate func isGone(_ path: String) -> Bool {
        var current = Tree.rootID
        for name in path.split(separator: "/") {
            guard nodes[current]?.children != nil else { return false }
            guard let next = child(of: current, named: String(name)) else { return true }
            current = next.id
        }
        return false
    }

    /// What the server lacks of a node.
    func unsent(_ node: Node) -> MountStatus.Unsent {
        let isContent = node.parent != nil && node.working?.isSaved == false
        let change: MountStatus.Unsent.Change =
            if isContent {
                .content
            } else if node.isRemoved {
                .removal
            } else if node.server == nil {
                .folder
            } else {
                node.displaced == nil ? .undone : .name
            }
        let path =
            path(of: node.id)
            ?? node.displaced.flatMap { place in
                self.path(of: place.folder).map { "\($0)/\(place.name.name)" }
            }
        return MountStatus.Unsent(
            path: path ?? node.name, bytes: isContent ? node.working?.size ?? 0 : 0,
            change: change, error: node.saveError?.message)
    }
}

/// A picture of a mount at one moment.
package struct MountStatus: Sendable, Equatable, Codable {
    /// A file whose content is not on the server yet.
    package struct Unsent: Sendable, Equatable, Codable {
        /// What the server does not have.
        package enum Change: String, Sendable, Codable {
            case content, folder, name, removal
            /// Nothing: a change that the server refused was undone.
            case undone
        }

        package var path: String
        /// Of content; 0 where only names are to be changed.
        package var bytes: Int64
        package var change: Change
        /// Why the last try failed.
        package var error: String?
    }

    /// A lock on the server.
    package struct Lock: Sendable, Equatable, Codable {
        package enum Purpose: String, Sendable, Codable {
            /// A file that is open for writing here, or still to be sent.
            case open
            /// A document that an office program has open here.
            case office
            /// Asked for by a person.
            case command
            /// Somebody else's.
            case others
        }

        package var path: String
        package var purpose: Purpose
        /// Of others' locks, where the server tells it.
        package var holder: String?
        /// Seconds since 1970; nil: for as long as it is wanted, or unknown.
        package var until: Int64?
        /// Why this mount does not have it any more.
        package var problem: String?
    }

    package var knownInodes = 0
    package var openFiles = 0
    package var cachedBytes: Int64 = 0
    package var unsent: [Unsent] = []
    /// Paths that this machine holds the server's lock for.
    package var locks: [String] = []
    /// Paths whose lock is gone although it is still wanted, each with the reason.
    package var lostLocks: [String] = []
    /// Files of which two versions are kept, until somebody decides.
    package var conflicts: [Conflict] = []

    package init() {}
}
