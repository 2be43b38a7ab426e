import CloudStorage

/// What the client has learnt of the server while it was used. Held under the client's lock.
struct ClientState {
    /// The most entries each of the tables below may have; the oldest knowledge is dropped whole.
    static let maximumEntries = 20_000

    var capabilities = Capabilities(
        supportsRanges: nil, uploadOntoName: nil, relocatesInOneCall: false,
        setsModificationTime: false, movesBetweenRoots: false, isCaseSensitive: true,
        lockSeconds: 1_800)
    var identity = ItemChecks.Identity()
    /// Some servers want a space between date and time instead of the `T`.
    var writesDatesWithSpace = false
    private(set) var ownLocks: Set<ItemReference.Key> = []
    private var windows: [RootIdentifier: ChangeWindow] = [:]
    /// Names that differ from what the item alone would be shown as, because of a sibling.
    private var markedNames: [ItemReference.Key: (alone: String, shown: String)] = [:]
    /// Revisions seen, until it is known what an upload onto a name does.
    private var revisions: [ItemReference.Key: Int64] = [:]

    mutating func didLock(_ reference: ItemReference) {
        if ownLocks.count >= Self.maximumEntries { ownLocks.removeAll() }
        ownLocks.insert(ItemReference.Key(reference))
    }

    mutating func didUnlock(_ reference: ItemReference) {
        ownLocks.remove(ItemReference.Key(reference))
    }

    /// Notes a listing: which entries go by a marked name, and their revisions.
    /// - Parameter alone: the name each entry would have without its siblings.
    mutating func didList(_ items: [CloudItem], alone: [ItemReference.Key: String]) {
        for item in items {
            let key = ItemReference.Key(item.reference)
            if let name = alone[key], name != item.name {
                if markedNames.count >= Self.maximumEntries { markedNames.removeAll() }
                markedNames[key] = (name, item.name)
            } else if !markedNames.isEmpty {
                markedNames[key] = nil
            }
            noteRevision(of: item)
        }
    }

    /// The item under the name its last listing gave it.
    func named(_ item: CloudItem) -> CloudItem {
        guard let marked = markedNames[ItemReference.Key(item.reference)],
            marked.alone == item.name
        else { return item }
        var item = item
        item.name = marked.shown
        return item
    }

    mutating func noteRevision(of item: CloudItem) {
        guard capabilities.uploadOntoName == nil,
            let revision = item.revision.flatMap({ Int64($0) })
        else { return }
        if revisions.count >= Self.maximumEntries { revisions.removeAll() }
        revisions[ItemReference.Key(item.reference)] = revision
    }

    /// Learns from an upload: a known file with a later revision was overwritten.
    mutating func didUpload(_ item: CloudItem) {
        if let before = revisions[ItemReference.Key(item.reference)],
            let after = item.revision.flatMap({ Int64($0) }), after > before
        {
            didLearn(.revision)
        }
        noteRevision(of: item)
    }

    mutating func didLearn(_ behaviour: Capabilities.UploadOntoName) {
        capabilities.uploadOntoName = behaviour
        revisions = [:]
    }

    mutating func newChanges(_ items: [CloudItem], in root: RootIdentifier) -> [CloudItem] {
        if windows[root] == nil, windows.count >= 1_000 { windows.removeAll() }
        return windows[root, default: ChangeWindow()].newItems(items)
    }
}
