import CFuse3
import FileSystemTypes
import Glibc
import VirtualFileSystem

/// Operations on files, as libfuse calls them (fuse_lowlevel.h).
enum FileOperations {
    static func open(
        request: fuse_req_t?, node: fuse_ino_t, info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        let options = OpenOptions(openFlags: info?.pointee.flags ?? 0)
        let operation = options.contains(.truncate) ? FuseOperation.openTruncating : .open
        FuseDispatcher.answer(request, operation) { dispatcher, caller in
            dispatcher.fileSystem.open(node: node, options: options, caller: caller)
        } reply: { dispatcher, reply, file in
            if !reply.opened(file) { dispatcher.giveBack(handle: file.handle, request: .open) }
        }
    }

    static func create(
        request: fuse_req_t?, parent: fuse_ino_t, name: UnsafePointer<CChar>?, mode: mode_t,
        info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        FuseDispatcher.answer(request, .create) { dispatcher, caller in
            guard let name = String(kernelName: name) else { return .ready(.failure(.nameToMake)) }
            return dispatcher.fileSystem.create(
                parent: parent, name: name, mode: UInt16(mode & 0o7777),
                options: OpenOptions(openFlags: info?.pointee.flags ?? 0), caller: caller)
        } reply: { (dispatcher, reply, created: CreatedFile) in
            if !reply.created(created) {
                dispatcher.giveBack(handle: created.file.handle, request: .create)
                dispatcher.fileSystem.forget(node: created.entry.node, count: 1)
            }
        }
    }

    static func read(
        request: fuse_req_t?, node: fuse_ino_t, size: Int, offset: off_t,
        info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        FuseDispatcher.with(request) { dispatcher, request in
            let handle = info?.pointee.fh ?? 0
            if let buffer = ThreadBuffer.ofThisThread(count: size) {
                let answer = dispatcher.fileSystem.readNow(
                    handle: handle, offset: Int64(offset), into: buffer)
                switch answer {
                case .bytes(let count):
                    FuseReply(request).bytes(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
                    return
                case .failure(let code):
                    FuseReply(request).error(code)
                    return
                case .later: break
                }
            }
            readLater(request, handle: handle, offset: Int64(offset), count: size)
        }
    }

    private static func readLater(
        _ request: fuse_req_t, handle: UInt64, offset: Int64, count: Int
    ) {
        FuseDispatcher.answer(request, .read) { dispatcher, _ in
            let fileSystem = dispatcher.fileSystem
            return Outcome<ReadBuffer>.pending {
                await fileSystem.read(handle: handle, offset: offset, count: count)
            }
        } reply: { _, reply, buffer in
            reply.bytes(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<buffer.count]))
        }
    }

    // The number of parameters is libfuse's, here and below.
    static func write(
        request: fuse_req_t?, node: fuse_ino_t, bytes: UnsafePointer<CChar>?, size: Int,
        offset: off_t, info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        FuseDispatcher.answer(request, .write) { dispatcher, _ in
            dispatcher.fileSystem.write(
                handle: info?.pointee.fh ?? 0, offset: Int64(offset),
                bytes: UnsafeRawBufferPointer(start: bytes, count: size),
                isPage: info?.pointee.writepage == 1)
        } reply: {
            FuseDispatcher.replyCount($0, $1, $2)
        }
    }

    static func flush(
        request: fuse_req_t?, node: fuse_ino_t, info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        FuseDispatcher.answer(request, .flush) { dispatcher, _ in
            dispatcher.fileSystem.flush(handle: info?.pointee.fh ?? 0)
        } reply: {
            FuseDispatcher.replyDone($0, $1, $2)
        }
    }

    static func release(
        request: fuse_req_t?, node: fuse_ino_t, info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        FuseDispatcher.answer(request, .release) { dispatcher, _ in
            dispatcher.fileSystem.release(handle: info?.pointee.fh ?? 0)
        } reply: {
            FuseDispatcher.replyDone($0, $1, $2)
        }
    }

    static func fsync(
        request: fuse_req_t?, node: fuse_ino_t, dataOnly: Int32,
        info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        FuseDispatcher.answer(request, .fsync) { dispatcher, _ in
            dispatcher.fileSystem.fsync(handle: info?.pointee.fh ?? 0, dataOnly: dataOnly != 0)
        } reply: {
            FuseDispatcher.replyDone($0, $1, $2)
        }
    }

    static func fallocate(
        request: fuse_req_t?, node: fuse_ino_t, mode: Int32, offset: off_t, length: off_t,
        info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        FuseDispatcher.answer(request, .fallocate) { dispatcher, _ in
            guard let mode = AllocationMode(allocationFlags: mode) else {
                return .failure(.notSupported, "Unknown mode of fallocate.")
            }
            guard let range = ByteRange(kernelOffset: Int64(offset), length: Int64(length)) else {
                return .failure(.invalidArgument, "The range is empty or out of bounds.")
            }
            return dispatcher.fileSystem.fallocate(
                handle: info?.pointee.fh ?? 0, mode: mode, range: range)
        } reply: {
            FuseDispatcher.replyDone($0, $1, $2)
        }
    }

    static func lseek(
        request: fuse_req_t?, node: fuse_ino_t, offset: off_t, whence: Int32,
        info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        FuseDispatcher.answer(request, .lseek) { dispatcher, _ in
            guard let target = SeekTarget(whence: whence) else {
                return .failure(.invalidArgument, "Unknown whence of lseek.")
            }
            return dispatcher.fileSystem.lseek(
                handle: info?.pointee.fh ?? 0, offset: Int64(offset), target: target)
        } reply: {
            $1.offset($2)
        }
    }

    static func copyFileRange(
        request: fuse_req_t?, node: fuse_ino_t, offset: off_t,
        info: UnsafeMutablePointer<fuse_file_info>?, targetNode: fuse_ino_t, targetOffset: off_t,
        targetInfo: UnsafeMutablePointer<fuse_file_info>?, count: Int, flags: Int32
    ) {
        FuseDispatcher.answer(request, .copyFileRange) { dispatcher, _ in
            dispatcher.fileSystem.copyFileRange(
                from: info?.pointee.fh ?? 0, at: Int64(offset), to: targetInfo?.pointee.fh ?? 0,
                at: Int64(targetOffset), count: Int64(clamping: count))
        } reply: {
            $1.written(Int($2))
        }
    }
}
