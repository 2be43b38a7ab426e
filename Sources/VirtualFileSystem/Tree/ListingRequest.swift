import CloudStorage
import FileSystemTypes
import StateStore

/// What a merged listing asks of the rest of the file system.
struct MergeEffects {
    var changes: [StateChange] = []
    /// Names the kernel must look up again.
    var entries: [(parent: UInt64, name: String)] = []
    /// Nodes whose cached pages are no longer their content.
    var contents: [UInt64] = []
    var attributes: [UInt64] = []
    /// Names of listed items that may have been sent for files that are gone here.
    var orphans: Set<NameKey> = []
    /// Versions the server no longer has, parts of which unsent contents still lack.
    var bases: [UInt64: ServerSide] = [:]

    var isEmpty: Bool {
        changes.isEmpty && entries.isEmpty && contents.isEmpty && attributes.isEmpty
    }
}

/// What is known before the answer to a listing comes.
struct ListingRequest {
    let folder: UInt64
    /// The tree's sequence number when the listing was asked for.
    let askedAt: UInt64
    var records: [ItemKey: InodeRecord] = [:]
    /// Rows that say they are in the folder, where nothing of it is in memory.
    var oldChildren: [InodeRecord] = []
    /// What was sent from here and not answered when the listing had come: it may be listed.
    var unheard: [SentContent] = []
    var keepsPartialUploads = false
    /// Temporary names given here, with the names that the items had before.
    var temporaryNames: [String: String] = [:]
    var hostName = ""
    let allocateInode: () -> InodeNumber
    let storesLinks: Bool
}
