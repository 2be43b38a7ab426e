import CFuse3
import FileSystemTypes
import Glibc
import VirtualFileSystem

/// Operations on open folders, as libfuse calls them (fuse_lowlevel.h).
///
/// The offset of a line is its index in the listing, counted from 1: the offset at which to go on.
enum DirectoryOperations {
    static func opendir(
        request: fuse_req_t?, node: fuse_ino_t, info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        FuseDispatcher.answer(request, .opendir) { dispatcher, _ in
            dispatcher.fileSystem.opendir(node: node)
        } reply: { dispatcher, reply, handle in
            if !reply.opened(OpenedFile(handle: handle, keepsCache: false)) {
                dispatcher.fileSystem.releasedir(handle: handle)
            }
        }
    }

    static func readdir(
        request: fuse_req_t?, node: fuse_ino_t, size: Int, offset: off_t,
        info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        list(request, size: size, offset: offset) { fileSystem, request, index, room in
            let handle = info?.pointee.fh ?? 0
            guard let line = fileSystem.directoryEntry(handle: handle, index: index) else {
                return nil
            }
            var attributes = stat(line)
            return fuse_add_direntry(
                request, room.base, room.count, line.name, &attributes, off_t(index + 1))
        }
    }

    static func readdirplus(
        request: fuse_req_t?, node: fuse_ino_t, size: Int, offset: off_t,
        info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        list(request, size: size, offset: offset) { fileSystem, request, index, room in
            let handle = info?.pointee.fh ?? 0
            guard let (line, entry) = fileSystem.directoryEntryPlus(handle: handle, index: index)
            else { return nil }
            var parameters = entry.map(fuse_entry_param.init) ?? fuse_entry_param(uncounted: line)
            let length = fuse_add_direntry_plus(
                request, room.base, room.count, line.name, &parameters, off_t(index + 1))
            if length > room.count, let entry {
                // The line goes into the next answer, and is counted there.
                fileSystem.forget(node: entry.node, count: 1)
            }
            return length
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
    /// `add` writes the line of an index and answers its length, or only its length where it does
    /// not fit, or nil at the end of the listing.
    private static func list(
        _ request: fuse_req_t?, size: Int, offset: off_t,
        add: (VirtualFileSystem, fuse_req_t, Int, Room) -> Int?
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
            var index = Int(offset)
            while true {
                let room = Room(base: base + used, count: count - used)
                guard let length = add(dispatcher.fileSystem, request, index, room),
                    length <= room.count
                else { break }
                used += length
                index += 1
            }
            FuseReply(request).bytes(UnsafeRawBufferPointer(rebasing: buffer[..<used]))
        }
    }
}
