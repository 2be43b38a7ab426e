import CFuse3
import FileSystemTypes
import Glibc
import VirtualFileSystem

/// Operations on open folders, as libfuse calls them (fuse_lowlevel.h).
///
/// The offset of a line is its cookie: the offset at which to go on behind it.
enum DirectoryOperations {
    static func opendir(
        request: fuse_req_t?, node: fuse_ino_t, info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        FuseDispatcher.answer(request, .opendir) { dispatcher, _ in
            dispatcher.fileSystem.opendir(node: node)
        } reply: { dispatcher, reply, folder in
            if !reply.opened(folder) { dispatcher.fileSystem.releasedir(handle: folder.handle) }
        }
    }

    static func readdir(
        request: fuse_req_t?, node: fuse_ino_t, size: Int, offset: off_t,
        info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        list(request, size: size, offset: offset) { fileSystem, request, cookie, room in
            let handle = info?.pointee.fh ?? 0
            guard let (line, next) = fileSystem.directoryEntry(handle: handle, after: cookie)
            else { return nil }
            var attributes = stat(line)
            let length = fuse_add_direntry(
                request, room.base, room.count, line.name, &attributes, off_t(next))
            return (length, next)
        }
    }

    static func readdirplus(
        request: fuse_req_t?, node: fuse_ino_t, size: Int, offset: off_t,
        info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        list(request, size: size, offset: offset) { fileSystem, request, cookie, room in
            let handle = info?.pointee.fh ?? 0
            guard
                let (line, next, entry) = fileSystem.directoryEntryPlus(
                    handle: handle, after: cookie)
            else { return nil }
            var parameters = entry.map(fuse_entry_param.init) ?? fuse_entry_param(uncounted: line)
            let length = fuse_add_direntry_plus(
                request, room.base, room.count, line.name, &parameters, off_t(next))
            if length > room.count, let entry {
                // The line goes into the next answer, and is counted there.
                fileSystem.forget(node: entry.node, count: 1)
            }
            return (length, next)
        }
    }

    static func releasedir(
        request: fuse_req_t?, node: fuse_ino_t, info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        FuseDispatcher.with(request) { dispatcher, request in
            dispatcher.fileSystem.releasedir(handle: info?.pointee.fh ?? 0)
            FuseReply(request).done()
        }
    }

    static func fsyncdir(
        request: fuse_req_t?, node: fuse_ino_t, dataOnly: Int32,
        info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        FuseDispatcher.answer(request, .fsyncdir) { dispatcher, _ in
            dispatcher.fileSystem.fsyncdir(
                handle: info?.pointee.fh ?? 0, dataOnly: dataOnly != 0)
        } reply: {
            FuseDispatcher.replyDone($0, $1, $2)
        }
    }

    /// The part of the answer that is still free.
    private struct Room {
        var base: UnsafeMutablePointer<CChar>
        var count: Int
    }

    /// Fills an answer of at most `size` bytes line by line from `offset`.
    ///
    /// `add` writes the line behind a cookie and answers its length, or only that where it does not
    /// fit, and its cookie; nil at the end of the listing.
    private static func list(
        _ request: fuse_req_t?, size: Int, offset: off_t,
        add: (VirtualFileSystem, fuse_req_t, UInt64, Room) -> (length: Int, cookie: UInt64)?
    ) {
        FuseDispatcher.with(request) { dispatcher, request in
            let count = min(size, ThreadBuffer.capacity)
            guard offset >= 0, let buffer = ThreadBuffer.ofThisThread(count: count),
                let base = buffer.bindMemory(to: CChar.self).baseAddress
            else {
                FuseReply(request).error(.inputOutput)
                return
            }
            var used = 0
            var cookie = UInt64(offset)
            while true {
                let room = Room(base: base + used, count: count - used)
                guard let line = add(dispatcher.fileSystem, request, cookie, room),
                    line.length <= room.count
                else { break }
                used += line.length
                cookie = line.cookie
            }
            FuseReply(request).bytes(UnsafeRawBufferPointer(rebasing: buffer[..<used]))
        }
    }
}
