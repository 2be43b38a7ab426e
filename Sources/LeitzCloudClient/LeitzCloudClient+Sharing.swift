package import CloudStorage
import HTTPTransport
package import LeitzCloudAPI

/// How a file or folder is to be shared; nothing set means the server's defaults.
package struct ShareRequest: Sendable, Hashable {
    package var loginRequired = false
    /// `YYYY-MM-DD`.
    package var expires: String?
    /// E-mail addresses.
    package var subscribers: [String] = []
    package var notifySubscribers = false
    package var downloadLimit: Int?
    package var notifyDownloads = false

    package init() {}

    var fields: [(String, String)] {
        var fields: [(String, String)] = []
        if loginRequired { fields.append(("login_required", "true")) }
        if let expires { fields.append(("expires", expires)) }
        if !subscribers.isEmpty {
            fields.append(("subscribers", subscribers.joined(separator: ",")))
        }
        if notifySubscribers { fields.append(("notify_subscribers", "true")) }
        if let downloadLimit { fields.append(("download_limit", String(downloadLimit))) }
        if notifyDownloads { fields.append(("download_notify", "true")) }
        return fields
    }
}

// Source: API v2, "Freigeben einer Datei", "Freigeben eines Ordners", "Dateien und Ordner
// durchsuchen".
extension LeitzCloudClient {
    /// Makes a share link of a file or folder.
    package func share(
        _ item: ItemReference, _ request: ShareRequest = ShareRequest()
    ) async throws(CloudStorageError) -> WireShare {
        guard item.kind != .root else {
            throw CloudStorageError(.unsupported, "a root can't be shared by link")
        }
        let route = APIRoute.item(try itemAddress(item), method: "share")
        var call = HTTPCall("share", .post, url: address.url(route))
        call.body = .form(request.fields)
        let answer = try await succeeding(call, subject: .item)
        return try AnswerBody.decode(WireShare.self, from: answer.body, mayHaveHappened: true)
    }

    /// Live files and folders of a root that match `text`, in the server's way of matching.
    package func search(
        _ text: String, in root: RootIdentifier
    ) async throws(CloudStorageError) -> [CloudItem] {
        let route = APIRoute.item(try itemAddress(.top(of: root)), method: "search")
        var call = HTTPCall("search", .get, url: address.url(route, query: [("q", text)]))
        call.maximumAnswerSize = 64 << 20
        let answer = try await succeeding(call, subject: .other)
        let found = try AnswerBody.decode(WireResults<WireItem>.self, from: answer.body)
        return found.results.filter { $0.isDeleted != true }.map { checkedItem($0, root: root) }
    }
}
