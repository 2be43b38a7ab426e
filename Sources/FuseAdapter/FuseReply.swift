import CFuse3
import FileSystemTypes
import Glibc
import Logging
import VirtualFileSystem

/// The answer that one request is owed.
///
/// Each of its methods answers and uses it up; one that is dropped instead answers EIO. Those that
/// return a `Bool` tell whether the kernel took the answer: what it did not take, such as a counted
/// node or a handle, it will not give back either.
struct FuseReply: ~Copyable, @unchecked Sendable {
    // Safe to hand to another thread: libfuse allows the reply from any, and nobody else has it.
    let request: fuse_req_t

    init(_ request: fuse_req_t) { self.request = request }

    deinit {
        FuseDispatcher.of(request)?._withUnsafeGuaranteedRef {
            $0.logger.error("A request was dropped without an answer; it gets EIO.")
        }
        fuse_reply_err(request, EIO)
    }

    /// Sends by `body`, except to a connection that is gone: libfuse would print an error for each.
    private consuming func send(_ body: (fuse_req_t) -> Int32) -> Bool {
        let request = request
        discard self
        let isLost = FuseDispatcher.of(request)?._withUnsafeGuaranteedRef { $0.isConnectionLost }
        guard isLost == false else {
            fuse_reply_none(request)
            return false
        }
        return body(request) == 0
    }

    /// Ends a request that has no answer (forget).
    consuming func none() {
        let request = request
        discard self
        fuse_reply_none(request)
    }

    consuming func done() { _ = send { fuse_reply_err($0, 0) } }

    consuming func error(_ code: FileSystemError.Code) {
        let number = code.errno
        _ = send { fuse_reply_err($0, number) }
    }

    consuming func entry(_ entry: Entry) -> Bool {
        var parameters = fuse_entry_param(entry)
        return send { fuse_reply_entry($0, &parameters) }
    }

    /// The answer to a look-up of a name that isn't there.
    consuming func absent(validity: Double) {
        var parameters = fuse_entry_param()
        parameters.entry_timeout = validity
        _ = send { fuse_reply_entry($0, &parameters) }
    }

    consuming func created(_ created: CreatedFile) -> Bool {
        var parameters = fuse_entry_param(created.entry)
        var info = fuse_file_info(created.file)
        guard let backing = created.file.backing else {
            return send { fuse_reply_create($0, &parameters, &info) }
        }
        return send { cfuse3_reply_create_backed($0, &parameters, &info, backing.number) }
    }

    consuming func opened(_ file: OpenedFile) -> Bool {
        var info = fuse_file_info(file)
        guard let backing = file.backing else { return send { fuse_reply_open($0, &info) } }
        return send { cfuse3_reply_open_backed($0, &info, backing.number) }
    }

    consuming func opened(_ folder: OpenedFolder) -> Bool {
        var info = fuse_file_info()
        info.fh = folder.handle
        info.cache_readdir = folder.isCacheable ? 1 : 0
        info.keep_cache = folder.keepsCache ? 1 : 0
        return send { fuse_reply_open($0, &info) }
    }

    /// - Parameter validity: seconds
    consuming func attributes(_ attributes: FileAttributes, validity: Double) {
        var status = stat(attributes)
        _ = send { fuse_reply_attr($0, &status, validity) }
    }

    consuming func linkTarget(_ target: String) { _ = send { fuse_reply_readlink($0, target) } }

    consuming func written(_ count: Int) { _ = send { fuse_reply_write($0, count) } }

    consuming func bytes(_ bytes: UnsafeRawBufferPointer) {
        _ = send {
            fuse_reply_buf($0, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count)
        }
    }

    /// The value of an extended attribute: its size where `room` is 0, ERANGE where it doesn't fit.
    consuming func attributeValue(_ value: [UInt8], room: Int) {
        if room == 0 {
            _ = send { fuse_reply_xattr($0, value.count) }
        } else if value.count > room {
            error(.rangeError)
        } else {
            _ = send { request in
                value.withUnsafeBytes {
                    fuse_reply_buf(
                        request, $0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count)
                }
            }
        }
    }

    consuming func usage(_ usage: FileSystemUsage) {
        var statistics = statvfs(usage)
        _ = send { fuse_reply_statfs($0, &statistics) }
    }

    consuming func offset(_ offset: Int64) { _ = send { fuse_reply_lseek($0, off_t(offset)) } }
}

extension fuse_file_info {
    init(_ file: OpenedFile) {
        self.init()
        fh = file.handle
        keep_cache = file.keepsCache ? 1 : 0
        noflush = file.needsFlush ? 0 : 1
        direct_io = file.backing?.isOnlyMapped == true ? 1 : 0
    }
}
