package import CloudStorage
package import LeitzCloudAPI

/// Reads a person object as an account of the seam.
package enum AccountAnswer {
    /// - Parameters:
    ///   - roots: those of the person, and their own where the person's list lacks it.
    ///   - ownLocks: what this client has locked.
    package static func describe(
        _ person: WirePerson, roots: [WireRoot], ownLocks: Set<ItemReference.Key> = []
    ) -> AccountDescription {
        var identity = ItemChecks.Identity()
        identity.add(person)
        return AccountDescription(
            displayName: person.displayName ?? person.email,
            roots: self.roots(roots, identity, ownLocks), quota: quota(person),
            policy: policy(person.companyPolicy))
    }

    /// The roots under names that differ and that Linux can show.
    private static func roots(
        _ wire: [WireRoot], _ identity: ItemChecks.Identity, _ ownLocks: Set<ItemReference.Key>
    ) -> [CloudRoot] {
        var ids: Set<Int64> = []
        var names: Set<String> = []
        var roots: [CloudRoot] = []
        for root in wire.sorted(by: { $0.id < $1.id }) where ids.insert(root.id).inserted {
            let id = String(root.id)
            var name = NameMapping.shortened(NameMapping.escaped(root.name), id: id)
            while !names.insert(name).inserted { name = NameMapping.marked(name, id: id) }
            // A backup root is a machine's archive: what a program would write there has no place.
            let isBackup = root.rootType == "backup"
            var checks = ItemChecks(root: RootIdentifier(id), identity: identity)
            checks.ownLocks = ownLocks
            let reference = ItemReference.top(of: RootIdentifier(id))
            let lock = checks.lockState(root.isLocked, root.locks, of: reference)
            roots.append(
                CloudRoot(
                    id: RootIdentifier(id), name: name,
                    permissions: isBackup ? .read : ItemChecks.permissions(root.permissions),
                    isLocked: lock.isLocked))
        }
        return roots
    }

    private static func quota(_ person: WirePerson) -> StorageQuota? {
        guard let total = person.spaceQuota?.value, total > 0 else { return nil }
        return StorageQuota(total: total, used: max(0, person.spaceUsage?.value ?? 0))
    }

    /// What the policy refuses; nothing where the server sends none.
    package static func policy(_ wire: WirePolicy?) -> StoragePolicy {
        let words = (wire?.excludedExtensions ?? "").split { $0 == "," || $0.isWhitespace }
        let extensions = words.map { word in
            let lower = word.lowercased()
            return lower.hasPrefix(".") ? lower : "." + lower
        }
        let megabytes = wire?.maxFileSize?.value.flatMap { $0 > 0 ? min($0, 1 << 40) : nil }
        return StoragePolicy(
            excludedExtensions: Set(extensions.filter { $0 != "." }),
            maximumFileSize: megabytes.map { $0 << 20 }, allowsLocks: wire?.userLockFiles ?? true)
    }
}
