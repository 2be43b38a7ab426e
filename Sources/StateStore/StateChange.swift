package import FileSystemTypes

/// One change of the stored state. Each is idempotent: applied twice it leaves what it left once.
package enum StateChange: Sendable {
    /// Inserts the record, or replaces the one with the same inode number.
    case put(InodeRecord)
    /// Removes one record and its extended attributes. Children are removed by changes of their own.
    ///
    /// A row that was described before `version` does not come back. 0: unordered.
    case remove(InodeNumber, version: UInt64 = 0)
    /// Removes a record and everything below it, with the extended attributes.
    /// The version is that of the top's row.
    case removeSubtree(InodeNumber, version: UInt64 = 0)
    case setAttribute(InodeNumber, name: String, value: [UInt8])
    case removeAttribute(InodeNumber, name: String)
    /// Inserts the intent, or replaces the one with the same id.
    case putIntent(Intent)
    case removeIntent(Int64)
    case setValue(key: String, value: String)
}

extension StateChange {
    /// The row that the change is about, and when it was described.
    var rowVersion: (inode: InodeNumber, version: UInt64)? {
        switch self {
        case .put(let record): (record.inode, record.version)
        case .remove(let inode, let version), .removeSubtree(let inode, let version):
            (inode, version)
        default: nil
        }
    }
}

/// What a commit survives.
package enum Durability: Sendable, Hashable, Comparable {
    /// `kill -9` of the driver.
    case normal
    /// Power loss of the machine.
    case full
}
