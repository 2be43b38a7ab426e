package import CloudStorage
package import FileSystemTypes
import HTTPTransport
import LeitzCloudAPI
import Logging
import Synchronization

// Source: API v2, "Herunterladen einer Datei", "Eine Datei in einen Ordner / eine Root hochladen".
extension LeitzCloudClient {
    package func download(
        _ file: ItemReference, range: ByteRange?, to sink: any DownloadSink
    ) async throws(CloudStorageError) {
        guard !file.isFolder else {
            throw CloudStorageError(.invalidRequest, "the item is a folder, not a file")
        }
        if let range, range.isEmpty {
            return try sink.begin(offset: range.lowerBound, totalSize: nil)
        }
        let answer = try await transfer(
            "download", APIRoute.item(try itemAddress(file), method: "download"), range, sink)
        if let range { learnRanges(from: answer, asked: range) }
    }

    /// Streams a folder with all that is in it as a zip archive. Source: "Herunterladen eines
    /// Ordners".
    package func downloadArchive(
        of folder: ItemReference, to sink: any DownloadSink
    ) async throws(CloudStorageError) {
        guard folder.kind == .folder else {
            throw CloudStorageError(.unsupported, "only folders can be downloaded as an archive")
        }
        _ = try await transfer(
            "archive", APIRoute.item(try itemAddress(folder), method: "download"), nil, sink)
    }

    private func transfer(
        _ name: String, _ route: String, _ range: ByteRange?, _ sink: any DownloadSink
    ) async throws(CloudStorageError) -> HTTPAnswer {
        var call = HTTPCall(name, .get, url: address.url(route))
        call.traffic = .bulk
        let transport = transport
        let answer = try await authorized(call) { call throws(CloudStorageError) in
            try await transport.download(call, range: range, to: sink)
        }
        guard answer.status == 200 || answer.status == 206 else {
            throw answer.isSuccess
                ? CloudStorageError(.invalidAnswer, "a download answered with \(answer.status)")
                : AnswerErrors.error(for: answer, of: .item)
        }
        return answer
    }

    private func learnRanges(from answer: HTTPAnswer, asked range: ByteRange) {
        if answer.status == 200, range.lowerBound == 0,
            let length = answer.header("Content-Length").flatMap({ Int64($0) }),
            length <= range.upperBound
        {
            // The range was the whole file: a server may leave such a one aside.
            return
        }
        state.withLock { $0.capabilities.supportsRanges = answer.status == 206 }
    }

    package func upload(
        _ content: LocalContent, name: String, to folder: ItemReference
    ) async throws(CloudStorageError) -> CloudItem {
        let serverName = try NewName.checked(name, isFormField: false)
        let route = APIRoute.item(try folderAddress(folder), method: "upload")
        var call = HTTPCall("upload", .post, url: address.url(route))
        call.traffic = .upload(of: content.size)
        call.body = .multipart(
            MultipartFile(field: "file", fileName: serverName, content: content))
        let answer = try await authorized(call)
        guard answer.isSuccess else {
            let error = AnswerErrors.error(for: answer, of: .naming)
            if error.kind == .nameConflict { await learnConflict(serverName, in: folder) }
            guard error.kind == .policy else { throw error }
            throw CloudStorageError(await policyReason(size: content.size), error.message)
        }
        let wire = try AnswerBody.decode(WireItem.self, from: answer.body, mayHaveHappened: true)
        guard wire.type == .file else {
            throw CloudStorageError(
                .invalidAnswer, "an upload answered with a folder", mayHaveHappened: true)
        }
        let stored = checkedItem(wire, root: folder.root)
        // Canonically equal names are one name to `!=`: a server may normalise them.
        if (wire.name ?? ItemChecks.lastPart(wire.path)) != serverName {
            return try await named(stored, serverName, in: folder)
        }
        state.withLock { $0.didUpload(stored) }
        return stored
    }

    /// Learns from a refused name what an upload onto a name does. Only a file proves it: every
    /// server refuses the name of a folder.
    private func learnConflict(_ serverName: String, in folder: ItemReference) async {
        guard capabilities.uploadOntoName == nil else { return }
        do throws(CloudStorageError) {
            guard case .entries(let items, _, _) = try await list(folder, validator: nil) else {
                return
            }
            let isFile = items.contains {
                !$0.reference.isFolder && ItemChecks.lastPart($0.reference.path) == serverName
            }
            if isFile { state.withLock { $0.didLearn(.conflict) } }
        } catch {
            // Then the next refusal may teach it.
            options.logger.debug("No listing after a refusal", metadata: ["error": "\(error.kind)"])
        }
    }

    /// The server has one word for all that its policy refuses; the account says which it was.
    private func policyReason(size: Int64) async -> CloudStorageError.Kind {
        do throws(CloudStorageError) {
            let account = try await account()
            if let limit = account.policy.maximumFileSize, size > limit { return .tooLarge }
            if let quota = account.quota, size > quota.total - quota.used { return .quotaExceeded }
            return .policy
        } catch {
            return .policy
        }
    }

    /// Gives a file that the server stored under another name (its form parser read the name
    /// differently, or it avoided a taken one) the right name, or takes it away again.
    private func named(
        _ stored: CloudItem, _ serverName: String, in folder: ItemReference
    ) async throws(CloudStorageError) -> CloudItem {
        do throws(CloudStorageError) {
            return try await rename(stored.reference, serverName)
        } catch {
            if error.kind == .nameConflict { await learnConflict(serverName, in: folder) }
            let refusal = error
            do throws(CloudStorageError) {
                try await delete(stored.reference)
            } catch {
                throw CloudStorageError(
                    refusal.kind, "\(refusal.message); the upload could not be taken back",
                    mayHaveHappened: true)
            }
            throw CloudStorageError(refusal.kind, refusal.message)
        }
    }
}
