package import CloudStorage
package import FileSystemTypes
import HTTPTransport
import Synchronization

// Source: RFC 4918 section 9.2 (PROPPATCH); `d:lastmodified` is Nextcloud's and ownCloud's own.
extension WebDAVClient {
    package func setModificationTime(
        _ time: FileTime, of file: ItemReference, revision: String
    ) async throws(CloudStorageError) -> CloudItem {
        guard profile.storesModificationTime, file.kind == .file,
            time.seconds >= profile.firstModificationTime
        else {
            throw CloudStorageError(.unsupported, "the server does not keep this time")
        }
        let path = try RemotePath(file)
        let known = ContentRevision(revision)
        var call = HTTPCall("set-time", .proppatch, url: url(path, isFolder: false))
        if profile.revisionIsETag, let etag = known?.etag {
            call.headers.append(("If-Match", etag.headerValue))
        } else {
            let current = try await item(file)
            guard current.revision == revision else { throw Self.otherRevision }
        }
        call.body = .bytes(PropertyRequest.lastModified(time.seconds), type: PropertyRequest.type)
        let answer = try await changing(call, touching: path)
        switch answer.status {
        case 200..<300: break
        case 405, 501: throw CloudStorageError(.unsupported, "the server takes no times")
        case 412: throw Self.otherRevision
        default: throw WebDAVErrors.error(for: answer)
        }
        // What became of it is looked at, since a multistatus answer may say anything.
        let now: CloudItem
        do throws(CloudStorageError) {
            now = try await item(file)
        } catch {
            throw CloudStorageError(
                error.kind, error.message, retryAfter: error.retryAfter, mayHaveHappened: true)
        }
        if now.modified?.seconds == time.seconds { return now }
        guard now.revision == revision else { throw Self.otherRevision }
        throw CloudStorageError(.unsupported, "the server keeps another time")
    }

    private static var otherRevision: CloudStorageError {
        CloudStorageError(.revisionChanged, "the server has another revision by now")
    }
}
