import CloudStorage
import Crypto
import Dispatch
import Glibc

/// Sums of local files, as ownCloud and Nextcloud want them beside an upload.
enum FileChecksum {
    private static let pieceSize = 256 << 10
    private static let queue = DispatchQueue(
        label: "ordner.webdav.checksum", qos: .utility, attributes: .concurrent)

    /// Reads the first `content.size` bytes on a thread of its own; lower-case hex.
    /// - Throws: `localFile`.
    static func sha1(of content: LocalContent) async throws(CloudStorageError) -> String {
        try await onQueue { () throws(CloudStorageError) in try read(content) }
    }

    /// A name for the upload of a file as it is now to a certain place: the same after a restart,
    /// another one as soon as the file has changed.
    /// - Throws: `localFile`.
    static func uploadName(
        of content: LocalContent, parts: [String]
    ) async throws(CloudStorageError) -> String {
        try await onQueue { () throws(CloudStorageError) in
            var status = stat()
            guard stat(content.path, &status) == 0 else {
                throw CloudStorageError(.localFile, "can't look at the file to upload")
            }
            let version = [
                content.path, String(content.size), String(status.st_ino),
                String(status.st_mtim.tv_sec), String(status.st_mtim.tv_nsec),
            ]
            let text = (version + parts).joined(separator: "\n")
            return "ordner-" + hex(SHA256.hash(data: Array(text.utf8)).prefix(16))
        }
    }

    private static func onQueue(
        _ work: @escaping @Sendable () throws(CloudStorageError) -> String
    ) async throws(CloudStorageError) -> String {
        let result = await withCheckedContinuation {
            (continuation: CheckedContinuation<Result<String, CloudStorageError>, Never>) in
            queue.async {
                do throws(CloudStorageError) {
                    continuation.resume(returning: .success(try work()))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
        }
        return try result.get()
    }

    private static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        let text = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return String(decoding: text, as: UTF8.self)
    }

    private static func read(_ content: LocalContent) throws(CloudStorageError) -> String {
        let descriptor = open(content.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CloudStorageError(.localFile, "can't open the file to upload")
        }
        defer { close(descriptor) }
        var hash = Insecure.SHA1()
        var buffer = [UInt8](repeating: 0, count: pieceSize)
        var rest = content.size
        while rest > 0 {
            let wanted = Int(min(Int64(pieceSize), rest))
            let count = buffer.withUnsafeMutableBytes { space in
                Glibc.read(descriptor, space.baseAddress, wanted)
            }
            guard count > 0 else {
                throw CloudStorageError(.localFile, "the file to upload has become shorter")
            }
            hash.update(data: buffer[..<count])
            rest -= Int64(count)
        }
        return hex(hash.finalize())
    }
}
