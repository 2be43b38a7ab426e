package import CloudStorage
import FoundationEssentials
import HTTPTransport
import LeitzCloudAPI

// Source: API v2, the create_folder, rename, move and delete methods of files, folders and roots.
extension LeitzCloudClient {
    package func createFolder(
        name: String, in folder: ItemReference
    ) async throws(CloudStorageError) -> CloudItem {
        let serverName = try NewName.checked(name, isFormField: true)
        let route = APIRoute.item(try folderAddress(folder), method: "create_folder")
        var call = HTTPCall("create-folder", .post, url: address.url(route))
        call.body = .form([("name", serverName)])
        let answer = try await succeeding(call, subject: .naming)
        let wire = try AnswerBody.decode(WireItem.self, from: answer.body, mayHaveHappened: true)
        guard wire.type == .folder else {
            throw CloudStorageError(
                .invalidAnswer, "create_folder answered with a file", mayHaveHappened: true)
        }
        return checkedItem(wire, root: folder.root)
    }

    package func relocate(
        _ item: ItemReference, to destination: RelocationTarget
    ) async throws(CloudStorageError) -> CloudItem {
        switch (destination.folder, destination.name) {
        case (nil, let name?):
            return try await rename(item, try NewName.checked(name, isFormField: true))
        case (let folder?, nil):
            return try await move(item, to: folder)
        case (nil, nil):
            return try await self.item(item)
        case (_?, _?):
            throw CloudStorageError(.unsupported, "renaming and moving are two calls here")
        }
    }

    /// - Parameter name: as the server spells it.
    func rename(
        _ item: ItemReference, _ name: String
    ) async throws(CloudStorageError) -> CloudItem {
        try await relocate(item, "rename", [("name", name)])
    }

    private func move(
        _ item: ItemReference, to folder: ItemReference
    ) async throws(CloudStorageError) -> CloudItem {
        guard folder.root == item.root else {
            throw CloudStorageError(.unsupported, "nothing can be moved between two roots")
        }
        // The document: to move to the root, leave the field out (servers do not take a 0).
        switch try folderAddress(folder) {
        case .folder(_, let id):
            return try await relocate(item, "move", [("to_folder_id", "\(id)")])
        case .root, .file: return try await relocate(item, "move", [])
        }
    }

    private func relocate(
        _ item: ItemReference, _ method: String, _ fields: [(String, String)]
    ) async throws(CloudStorageError) -> CloudItem {
        guard item.kind != .root else {
            throw CloudStorageError(.unsupported, "a root can't be renamed or moved")
        }
        let route = APIRoute.item(try itemAddress(item), method: method)
        var call = HTTPCall(method, .post, url: address.url(route))
        call.body = .form(fields)
        let answer = try await succeeding(call, subject: .naming)
        if let wire = try? JSONDecoder().decode(WireItem.self, from: answer.body),
            String(wire.id) == item.id
        {
            return checkedItem(wire, root: item.root)
        }
        // Some servers answer with a bare status.
        do throws(CloudStorageError) {
            return try await self.item(item)
        } catch {
            throw CloudStorageError(
                error.kind, error.message, retryAfter: error.retryAfter, mayHaveHappened: true)
        }
    }

    package func delete(_ item: ItemReference) async throws(CloudStorageError) {
        guard item.kind != .root else {
            throw CloudStorageError(.unsupported, "a root can't be deleted")
        }
        let route = APIRoute.item(try itemAddress(item), method: "delete")
        // A second delete of the same id finds nothing, and ids are not used twice.
        let call = HTTPCall("delete", .post, url: address.url(route), isIdempotent: true)
        let answer = try await authorized(call)
        if answer.isSuccess || (answer.status == 404 && answer.attempts > 1) { return }
        throw AnswerErrors.error(for: answer, of: .item)
    }
}
