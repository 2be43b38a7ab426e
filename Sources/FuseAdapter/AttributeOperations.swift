import CFuse3
import FileSystemTypes
import Glibc
import VirtualFileSystem

/// Operations on attributes, as libfuse calls them (fuse_lowlevel.h).
enum AttributeOperations {
    static func getattr(
        request: fuse_req_t?, node: fuse_ino_t, info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        FuseDispatcher.answer(request, .getattr) { dispatcher, _ in
            dispatcher.fileSystem.getattr(node: node, handle: info?.pointee.fh)
        } reply: {
            FuseDispatcher.replyAttributes($0, $1, $2)
        }
    }

    static func setattr(
        request: fuse_req_t?, node: fuse_ino_t, attributes: UnsafeMutablePointer<stat>?,
        mask: Int32, info: UnsafeMutablePointer<fuse_file_info>?
    ) {
        FuseDispatcher.answer(request, .setattr) { dispatcher, caller in
            guard let attributes else { return .failure(.invalidArgument, "No attributes.") }
            return dispatcher.fileSystem.setattr(
                node: node, changes: AttributeChanges(attributes.pointee, mask: mask),
                handle: info?.pointee.fh, caller: caller)
        } reply: {
            FuseDispatcher.replyAttributes($0, $1, $2)
        }
    }

    static func readlink(request: fuse_req_t?, node: fuse_ino_t) {
        FuseDispatcher.answer(request, .readlink) { dispatcher, _ in
            dispatcher.fileSystem.readlink(node: node)
        } reply: {
            $1.linkTarget($2)
        }
    }

    static func statfs(request: fuse_req_t?, node: fuse_ino_t) {
        FuseDispatcher.answer(request, .statfs) { dispatcher, _ in
            dispatcher.fileSystem.statfs(node: node)
        } reply: {
            $1.usage($2)
        }
    }

    static func getxattr(
        request: fuse_req_t?, node: fuse_ino_t, name: UnsafePointer<CChar>?, room: Int
    ) {
        FuseDispatcher.answer(request, .getxattr) { dispatcher, _ in
            guard let name = String(kernelName: name) else {
                return .failure(.noAttribute, "The name is not valid UTF-8.")
            }
            return dispatcher.fileSystem.getxattr(node: node, name: name)
        } reply: {
            $1.attributeValue($2, room: room)
        }
    }

    static func listxattr(request: fuse_req_t?, node: fuse_ino_t, room: Int) {
        FuseDispatcher.answer(request, .listxattr) { dispatcher, _ in
            dispatcher.fileSystem.listxattr(node: node)
        } reply: { _, reply, names in
            reply.attributeValue(names.flatMap { Array($0.utf8) + [0] }, room: room)
        }
    }

    // The number of parameters is libfuse's.
    static func setxattr(
        request: fuse_req_t?, node: fuse_ino_t, name: UnsafePointer<CChar>?,
        value: UnsafePointer<CChar>?, size: Int, flags: Int32
    ) {
        FuseDispatcher.answer(request, .setxattr) { dispatcher, _ in
            guard let name = String(kernelName: name) else { return .ready(.failure(.nameToMake)) }
            guard let replacement = AttributeReplacement(replacementFlags: flags) else {
                return .failure(.invalidArgument, "Unknown flags of setxattr.")
            }
            return dispatcher.fileSystem.setxattr(
                node: node, name: name,
                value: Array(UnsafeRawBufferPointer(start: value, count: size)),
                replacement: replacement)
        } reply: {
            FuseDispatcher.replyDone($0, $1, $2)
        }
    }

    static func removexattr(
        request: fuse_req_t?, node: fuse_ino_t, name: UnsafePointer<CChar>?
    ) {
        FuseDispatcher.answer(request, .removexattr) { dispatcher, _ in
            guard let name = String(kernelName: name) else {
                return .failure(.noAttribute, "The name is not valid UTF-8.")
            }
            return dispatcher.fileSystem.removexattr(node: node, name: name)
        } reply: {
            FuseDispatcher.replyDone($0, $1, $2)
        }
    }
}
