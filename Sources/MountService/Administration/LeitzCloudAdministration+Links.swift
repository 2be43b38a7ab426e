import CloudStorage
import LeitzCloudAPI
import LeitzCloudClient

extension LeitzCloudAdministration: LinkAdministration {
    func shareLink(
        of path: String, _ draft: LinkDraft
    ) async throws(ServiceFailure) -> AdministrationRecord {
        var request = ShareRequest()
        request.loginRequired = draft.loginRequired
        request.expires = draft.expires
        request.subscribers = draft.subscribers
        request.notifySubscribers = draft.notifies
        request.downloadLimit = draft.downloadLimit
        let item = try await item(at: path)
        let ready = request
        let share = try await asking { () async throws(CloudStorageError) in
            try await client.share(item, ready)
        }
        return Self.record(share)
    }

    static func record(_ share: WireShare) -> AdministrationRecord {
        let what = share.fileID.map { "file \($0)" } ?? share.folderID.map { "folder \($0)" } ?? ""
        return AdministrationRecord(
            [
                ("ID", String(share.id)), ("ROOT", String(share.rootID)), ("WHAT", what),
                ("EXPIRES", share.expires?.text ?? "never"), ("LINK", share.hash),
            ], object: share)
    }

    private func item(at path: String) async throws(ServiceFailure) -> ItemReference {
        var names = path.split(separator: "/").map(String.init)
        guard names.count > 1 else {
            throw ServiceFailure(
                "'\(path)' names no file or folder",
                remedy: "Write it as in a mount, such as Team/report.pdf")
        }
        let first = names.removeFirst()
        let account = try await asking { () async throws(CloudStorageError) in
            try await client.account()
        }
        guard let root = account.roots.first(where: { $0.name == first }) else {
            throw ServiceFailure("the account has no folder '\(first)'")
        }
        var reference = ItemReference.top(of: root.id)
        for name in names {
            let folder = reference
            guard folder.isFolder else { throw ServiceFailure("there is no '\(path)'") }
            let listing = try await asking { () async throws(CloudStorageError) in
                try await client.list(folder, validator: nil)
            }
            guard case .entries(let items, _, _) = listing,
                let item = items.first(where: { $0.name == name })
            else { throw ServiceFailure("there is no '\(path)'") }
            reference = item.reference
        }
        return reference
    }
}
