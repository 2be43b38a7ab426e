import ChangeFeed
import CloudStorage
import FileSystemTypes
import Synchronization
import TestSupport

/// A cloud whose change feed answers what the test says.
final class FeedCloud: PartialCloud {
    typealias Answer =
        @Sendable (RootIdentifier, String?) async throws(CloudStorageError) -> ChangePage

    private let answer: Answer
    private let log = Mutex<[String]>([])

    init(answer: @escaping Answer) { self.answer = answer }

    /// `ROOT CURSOR` of every call so far.
    var asked: [String] { log.withLock { $0 } }

    func changes(
        in root: RootIdentifier, since cursor: String?
    ) async throws(CloudStorageError) -> ChangePage {
        log.withLock { $0.append("\(root) \(cursor ?? "-")") }
        return try await answer(root, cursor)
    }
}

/// Writes down what it is told and asked, and answers what the test says.
final class RecordingReceiver: ChangeReceiver {
    private let log = Mutex<[String]>([])
    private let roots: [RootIdentifier]
    private let folders: [ItemReference]
    private let onChange: @Sendable () async -> Void
    private let onRevalidate: @Sendable (ItemReference) async throws(CloudStorageError) -> Void

    init(
        roots: [RootIdentifier], folders: [ItemReference] = [],
        onChange: @escaping @Sendable () async -> Void = {},
        onRevalidate: @escaping @Sendable (ItemReference) async throws(CloudStorageError) -> Void =
            {
                _ in
            }
    ) {
        self.roots = roots
        self.folders = folders
        self.onChange = onChange
        self.onRevalidate = onRevalidate
    }

    var heard: [String] { log.withLock { $0 } }

    func changed(_ items: [CloudItem], in root: RootIdentifier) async {
        await onChange()
        log.withLock { $0.append("\(root): " + items.map(\.name).joined(separator: " ")) }
    }

    func revalidate(_ folder: ItemReference) async throws(CloudStorageError) {
        log.withLock { $0.append("list \(folder.path)") }
        try await onRevalidate(folder)
    }

    func foldersInUse() -> [ItemReference] { folders }
    func rootsInUse() -> [RootIdentifier] { roots }
}

let rootR = RootIdentifier("r")
let rootS = RootIdentifier("s")

func folder(_ path: String, in root: RootIdentifier = rootR) -> ItemReference {
    ItemReference(root: root, kind: .folder, id: path, path: path)
}

func changedFile(_ name: String) -> CloudItem {
    CloudItem(
        reference: ItemReference(root: rootR, kind: .file, id: name, path: "/" + name),
        name: name, size: 1, revision: "1", modified: nil)
}
