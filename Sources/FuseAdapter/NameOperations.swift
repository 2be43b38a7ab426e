import CFuse3
import FileSystemTypes
import Glibc
import VirtualFileSystem

/// Operations on names in folders, as libfuse calls them (fuse_lowlevel.h).
enum NameOperations {
    /// The kernel keeps for a moment that a name isn't there: programs ask again and again for files that
    /// may be beside others.
    static func lookup(
        request: fuse_req_t?, parent: fuse_ino_t, name: UnsafePointer<CChar>?
    ) {
        FuseDispatcher.answer(request, .lookup) { dispatcher, caller in
            guard let name = String(kernelName: name) else { return .ready(.failure(.nameToFind)) }
            return dispatcher.fileSystem.lookup(parent: parent, name: name, caller: caller)
        } reply: {
            FuseDispatcher.replyEntry($0, $1, $2)
        }
    }

    static func forget(request: fuse_req_t?, node: fuse_ino_t, count: UInt64) {
        FuseDispatcher.with(request) { dispatcher, request in
            dispatcher.fileSystem.forget(node: node, count: count)
            FuseReply(request).none()
        }
    }

    static func forgetMany(
        request: fuse_req_t?, count: Int, nodes: UnsafeMutablePointer<fuse_forget_data>?
    ) {
        FuseDispatcher.with(request) { dispatcher, request in
            for node in UnsafeBufferPointer(start: nodes, count: count) {
                dispatcher.fileSystem.forget(node: node.ino, count: node.nlookup)
            }
            FuseReply(request).none()
        }
    }

    static func mkdir(
        request: fuse_req_t?, parent: fuse_ino_t, name: UnsafePointer<CChar>?, mode: mode_t
    ) {
        FuseDispatcher.answer(request, .mkdir) { dispatcher, caller in
            guard let name = String(kernelName: name) else { return .ready(.failure(.nameToMake)) }
            return dispatcher.fileSystem.mkdir(
                parent: parent, name: name, mode: UInt16(mode & 0o7777), caller: caller)
        } reply: {
            FuseDispatcher.replyEntry($0, $1, $2)
        }
    }

    static func mknod(
        request: fuse_req_t?, parent: fuse_ino_t, name: UnsafePointer<CChar>?, mode: mode_t,
        device: dev_t
    ) {
        FuseDispatcher.answer(request, .mknod) { dispatcher, caller in
            guard mode & S_IFMT == S_IFREG || mode & S_IFMT == 0 else {
                return .failure(.notPermitted, "A cloud holds no devices, pipes and sockets.")
            }
            guard let name = String(kernelName: name) else { return .ready(.failure(.nameToMake)) }
            return dispatcher.fileSystem.mknod(
                parent: parent, name: name, mode: UInt16(mode & 0o7777), caller: caller)
        } reply: {
            FuseDispatcher.replyEntry($0, $1, $2)
        }
    }

    static func symlink(
        request: fuse_req_t?, target: UnsafePointer<CChar>?, parent: fuse_ino_t,
        name: UnsafePointer<CChar>?
    ) {
        FuseDispatcher.answer(request, .symlink) { dispatcher, caller in
            guard let name = String(kernelName: name), let target = String(kernelName: target)
            else { return .ready(.failure(.nameToMake)) }
            return dispatcher.fileSystem.symlink(
                parent: parent, name: name, target: target, caller: caller)
        } reply: {
            FuseDispatcher.replyEntry($0, $1, $2)
        }
    }

    /// Hard links: no cloud has them; programs expect EPERM (link(2)).
    static func link(
        request: fuse_req_t?, node: fuse_ino_t, parent: fuse_ino_t, name: UnsafePointer<CChar>?
    ) {
        FuseDispatcher.with(request) { _, request in FuseReply(request).error(.notPermitted) }
    }

    static func unlink(
        request: fuse_req_t?, parent: fuse_ino_t, name: UnsafePointer<CChar>?
    ) {
        FuseDispatcher.answer(request, .unlink) { dispatcher, caller in
            guard let name = String(kernelName: name) else { return .ready(.failure(.nameToFind)) }
            return dispatcher.fileSystem.unlink(parent: parent, name: name, caller: caller)
        } reply: {
            FuseDispatcher.replyDone($0, $1, $2)
        }
    }

    static func rmdir(
        request: fuse_req_t?, parent: fuse_ino_t, name: UnsafePointer<CChar>?
    ) {
        FuseDispatcher.answer(request, .rmdir) { dispatcher, caller in
            guard let name = String(kernelName: name) else { return .ready(.failure(.nameToFind)) }
            return dispatcher.fileSystem.rmdir(parent: parent, name: name, caller: caller)
        } reply: {
            FuseDispatcher.replyDone($0, $1, $2)
        }
    }

    // The number of parameters is libfuse's.
    static func rename(
        request: fuse_req_t?, parent: fuse_ino_t, name: UnsafePointer<CChar>?,
        newParent: fuse_ino_t, newName: UnsafePointer<CChar>?, flags: UInt32
    ) {
        FuseDispatcher.answer(request, .rename) { dispatcher, caller in
            guard let mode = RenameMode(renameFlags: flags) else {
                return .failure(.invalidArgument, "Unknown flags of renameat2.")
            }
            guard let name = String(kernelName: name) else { return .ready(.failure(.nameToFind)) }
            guard let newName = String(kernelName: newName) else {
                return .ready(.failure(.nameToMake))
            }
            return dispatcher.fileSystem.rename(
                parent: parent, name: name, newParent: newParent, newName: newName, mode: mode,
                caller: caller)
        } reply: {
            FuseDispatcher.replyDone($0, $1, $2)
        }
    }
}
