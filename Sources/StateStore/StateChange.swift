package import FileSystemTypes

/// One change of the stored state. Each is idempotent: applied twice it leaves what it left once.
package enum StateChange: Sendable {
    /// Inserts the record, or replaces the one with the same inode number.
    case put(InodeRecord)
    /// Removes one record and its extended attributes. Children are removed by changes of their own.
    case remove(InodeNumber)
    /// Removes a record and everything below it, with the extended attributes.
    case removeSubtree(InodeNumber)
    case setAttribute(InodeNumber, name: String, value: [UInt8])
    case removeAttribute(InodeNumber, name: String)
    /// Inserts the intent, or replaces the one with the same id.
    case putIntent(Intent)
    case removeIntent(Int64)
    case setValue(key: String, value: String)
}

/// What a commit survives.
package enum Durability: Sendable, Hashable, Comparable {
    /// `kill -9` of the driver.
    case normal
    /// Power loss of the machine.
    case full
}
