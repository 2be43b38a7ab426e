import CloudStorage
import FileSystemTypes
import StateStore
import Synchronization

// The calls that leave items where they are.
extension IdentifiedCloud {
    func account() async throws(CloudStorageError) -> AccountDescription {
        try await base.account()
    }

    func list(
        _ folder: ItemReference, validator: String?
    ) async throws(CloudStorageError) -> FolderListing {
        let key = try await known(folder)
        try await resolveMoves()
        return try await inTurn(PathClaims.Wish(items: [key])) {
            () async throws(CloudStorageError) -> FolderListing in
            let askedAt = state.withLock { $0.table.beginLook() }
            defer { state.withLock { $0.table.endLook(askedAt) } }
            let listing = try await base.list(try baseReference(key), validator: validator)
            guard case .entries(let items, var validator, var description) = listing else {
                return listing
            }
            let identified = state.withLock { state in
                let names = Set(items.compactMap { PathTable.lastName(of: $0.reference.path) })
                state.table.retain(names, in: key, askedAt: askedAt)
                return items.compactMap { state.table.identify($0, in: key, askedAt: askedAt) }
            }
            // A listing that is out of date already must not be confirmed by the server later.
            if identified.count < items.count { validator = nil }
            description.reference = folder
            return .entries(identified, validator: validator, folder: description)
        }
    }

    func item(_ reference: ItemReference) async throws(CloudStorageError) -> CloudItem {
        let key = try await known(reference)
        try await resolveMoves()
        return try await inTurn(PathClaims.Wish(items: [key])) {
            () async throws(CloudStorageError) -> CloudItem in
            let askedAt = state.withLock { $0.table.beginLook() }
            defer { state.withLock { $0.table.endLook(askedAt) } }
            let item = try await base.item(try baseReference(key))
            guard key.kind != .root else { return item }
            return try identified(item, key, askedAt: askedAt)
        }
    }

    func revisions(of files: [ItemReference]) async -> [String?] {
        var answers = [String?](repeating: nil, count: files.count)
        var keys: [(index: Int, key: ItemKey)] = []
        do throws(CloudStorageError) {
            for (index, file) in files.enumerated() {
                keys.append((index, try await known(file)))
            }
            try await resolveMoves()
        } catch {
            return files.count == 1
                ? answers : await together(files) { await self.revision(of: $0) }
        }
        await inTurn(PathClaims.Wish(items: keys.map(\.key))) {
            let asked = keys.compactMap { index, key -> (Int, ItemReference)? in
                do throws(CloudStorageError) { return (index, try baseReference(key)) } catch {
                    return nil
                }
            }
            let found = await base.revisions(of: asked.map(\.1))
            for ((index, _), revision) in zip(asked, found) { answers[index] = revision }
        }
        return answers
    }

    private func revision(of file: ItemReference) async -> String? {
        await revisions(of: [file]).first ?? nil
    }

    /// The entry of that name in a folder as it is on the server now; nil where there is none.
    func entry(
        named name: String, in folder: ItemReference
    ) async throws(CloudStorageError) -> CloudItem? {
        let key = try await known(folder)
        try await resolveMoves()
        return try await inTurn(PathClaims.Wish(items: [key])) {
            () async throws(CloudStorageError) -> CloudItem? in
            let askedAt = state.withLock { $0.table.beginLook() }
            defer { state.withLock { $0.table.endLook(askedAt) } }
            let parent = try baseReference(key)
            for kind in [ItemReference.Kind.file, .folder] {
                let path = (parent.path == "/" ? "" : parent.path) + "/" + name
                let reference = ItemReference(root: parent.root, kind: kind, id: nil, path: path)
                if let item = try await found(reference) {
                    return state.withLock {
                        $0.table.identify(item, in: key, askedAt: askedAt)
                    }
                }
            }
            return nil
        }
    }

    func found(
        _ reference: ItemReference
    ) async throws(CloudStorageError) -> CloudItem? {
        do throws(CloudStorageError) {
            return try await base.item(reference)
        } catch {
            guard error.kind == .notFound else { throw error }
            return nil
        }
    }

    func download(
        _ file: ItemReference, range: ByteRange?, to sink: any DownloadSink
    ) async throws(CloudStorageError) {
        try await download(file, revision: nil, range: range, to: sink)
    }

    /// Holds up no move: where the file's path has changed meanwhile, the call is made again.
    func download(
        _ file: ItemReference, revision: String?, range: ByteRange?, to sink: any DownloadSink
    ) async throws(CloudStorageError) {
        let key = try await known(file)
        try await resolveMoves()
        var attempt = 0
        while true {
            let reference = try await currentReference(key)
            do throws(CloudStorageError) {
                return try await base.download(
                    reference, revision: revision, range: range, to: sink)
            } catch {
                attempt += 1
                guard error.kind == .notFound || error.kind == .revisionChanged, attempt < 4,
                    try await currentReference(key) != reference
                else { throw error }
            }
        }
    }

    private func currentReference(
        _ key: ItemKey
    ) async throws(CloudStorageError) -> ItemReference {
        try await inTurn(PathClaims.Wish(items: [key])) { () throws(CloudStorageError) in
            try baseReference(key)
        }
    }

    func upload(
        _ content: LocalContent, name: String, to folder: ItemReference
    ) async throws(CloudStorageError) -> CloudItem {
        try await upload(content, name: name, to: folder, onto: .anything)
    }

    func upload(
        _ content: LocalContent, name: String, to folder: ItemReference, onto target: UploadTarget
    ) async throws(CloudStorageError) -> CloudItem {
        try await making(in: folder, isNew: target == .nothing) {
            parent throws(CloudStorageError) in
            try await self.base.upload(content, name: name, to: parent, onto: target)
        }
    }

    func createFolder(
        name: String, in folder: ItemReference
    ) async throws(CloudStorageError) -> CloudItem {
        try await making(in: folder, isNew: true) { parent throws(CloudStorageError) in
            try await self.base.createFolder(name: name, in: parent)
        }
    }

    func copy(
        _ file: ItemReference, revision: String, to folder: ItemReference, name: String
    ) async throws(CloudStorageError) -> CloudItem {
        let source = try await known(file)
        let key = try await known(folder)
        try await resolveMoves()
        return try await inTurn(PathClaims.Wish(items: [source, key], isPatient: true)) {
            () async throws(CloudStorageError) -> CloudItem in
            let begunAt = state.withLock { $0.table.sequence }
            let item = try await base.copy(
                try baseReference(source), revision: revision, to: try baseReference(key),
                name: name)
            return state.withLock { $0.table.identify(item, in: key, newSince: begunAt) }
        }
    }

    func setModificationTime(
        _ time: FileTime, of file: ItemReference, revision: String
    ) async throws(CloudStorageError) -> CloudItem {
        let key = try await known(file)
        try await resolveMoves()
        return try await inTurn(PathClaims.Wish(items: [key])) {
            () async throws(CloudStorageError) -> CloudItem in
            let askedAt = state.withLock { $0.table.beginLook() }
            defer { state.withLock { $0.table.endLook(askedAt) } }
            let item = try await base.setModificationTime(
                time, of: try baseReference(key), revision: revision)
            return try identified(item, key, askedAt: askedAt)
        }
    }

    private func identified(
        _ item: CloudItem, _ key: ItemKey, askedAt: UInt64
    ) throws(CloudStorageError) -> CloudItem {
        try state.withLock { state throws(CloudStorageError) in
            guard let folder = state.table.entries[key]?.place.folder,
                let item = state.table.identify(item, in: folder, askedAt: askedAt)
            else { throw CloudStorageError(.notFound, "the server no longer has the item") }
            return item
        }
    }

    private func making(
        in folder: ItemReference, isNew: Bool,
        _ call: (ItemReference) async throws(CloudStorageError) -> CloudItem
    ) async throws(CloudStorageError) -> CloudItem {
        let key = try await known(folder)
        try await resolveMoves()
        return try await inTurn(PathClaims.Wish(items: [key], isPatient: true)) {
            () async throws(CloudStorageError) -> CloudItem in
            let begunAt = state.withLock { $0.table.sequence }
            let item = try await call(try baseReference(key))
            return state.withLock { state in
                state.table.identify(item, in: key, newSince: isNew ? begunAt : nil)
            }
        }
    }

    func lock(_ item: ItemReference, seconds: Int) async throws(CloudStorageError) {
        let key = try await known(item)
        try await resolveMoves()
        try await inTurn(PathClaims.Wish(items: [key])) { () async throws(CloudStorageError) in
            try await base.lock(try baseReference(key), seconds: seconds)
            state.withLock { $0.locked[key] = seconds }
        }
    }

    func unlock(_ item: ItemReference) async throws(CloudStorageError) {
        let key = ItemKey(item)
        try await takeBack(key)
        // What is gone took its lock along.
        let isKnown = state.withLock { state in
            if state.table.entries[key] == nil { state.locked[key] = nil }
            return state.table.entries[key] != nil
        }
        guard isKnown else { return }
        try await resolveMoves()
        try await inTurn(PathClaims.Wish(items: [key])) { () async throws(CloudStorageError) in
            try await base.unlock(try baseReference(key))
            state.withLock { $0.locked[key] = nil }
        }
    }

    func hearChanges(_ listener: any ChangeListener) async throws(CloudStorageError) {
        try await base.hearChanges(listener)
    }

    func changes(
        in root: RootIdentifier, since cursor: String?
    ) async throws(CloudStorageError) -> ChangePage {
        var page = try await base.changes(in: root, since: cursor)
        for item in page.items {
            if let folder = state.withLock({ $0.table.folder(of: item.reference) }) {
                try await complete(folder)
            }
        }
        state.withLock { state in
            page.items = page.items.compactMap { state.table.identified($0) }
        }
        return page
    }
}

extension PathTable {
    /// The folder that a path is in, where it is known.
    fileprivate func folder(of reference: ItemReference) -> ItemKey? {
        var folder = ItemKey(.top(of: reference.root))
        let names = reference.path.utf8.split(separator: UInt8(ascii: "/"))
            .map { NameKey(String(Substring($0))) }
        for name in names.dropLast() {
            guard let next = key(at: Place(folder: folder, name: name)) else { return nil }
            folder = next
        }
        return folder
    }

    /// A changed item with its id, where its folder is known; nothing is noted.
    fileprivate func identified(_ item: CloudItem) -> CloudItem? {
        var item = item
        if item.reference.id != nil { return item }
        guard let folder = folder(of: item.reference) else { return nil }
        guard let name = Self.lastName(of: item.reference.path),
            let known = key(at: Place(folder: folder, name: name))
        else {
            // Not seen before: it has its id from the listing that shows it.
            item.reference.id = newID()
            return item
        }
        item.reference.id = known.id
        return item
    }
}
