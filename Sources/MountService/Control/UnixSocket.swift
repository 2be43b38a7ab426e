import Glibc

/// Sockets with a name in the file system.
///
/// A socket's address holds 107 bytes, a folder's path may be longer; the folder is therefore
/// opened first and the name taken below /proc/self/fd.
enum UnixSocket {
    /// A listening socket that only this user can reach; one left behind there is replaced.
    static func listen(folder: String, name: String) throws(ServiceFailure) -> Int32 {
        try LocalFile.makePrivateFolder(folder)
        let path = folder + "/" + name
        let descriptor = try make()
        unlink(path)
        let code = try withAddress(folder: folder, name: name) { address, length in
            bind(descriptor, address, length) == 0 ? 0 : errno
        }
        guard code == 0, chmod(path, 0o600) == 0, Glibc.listen(descriptor, 16) == 0 else {
            let failure = ServiceFailure.system("listen on \(path)", code: code == 0 ? errno : code)
            close(descriptor)
            throw failure
        }
        return descriptor
    }

    /// A connection; nil where nobody listens under that name.
    static func connect(folder: String, name: String) throws(ServiceFailure) -> Int32? {
        guard access(folder, F_OK) == 0 else { return nil }
        let descriptor = try make()
        let code = try withAddress(folder: folder, name: name) { address, length in
            Glibc.connect(descriptor, address, length) == 0 ? 0 : errno
        }
        if code == 0 { return descriptor }
        close(descriptor)
        if code == ENOENT || code == ECONNREFUSED { return nil }
        throw .system("connect to \(folder)/\(name)", code: code)
    }

    /// Sends all of `bytes`; false where the other side has gone or does not take them in time.
    static func send(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            rest = rest.dropFirst(count)
        }
        return true
    }

    /// Bounds how long a send may block.
    static func limitSends(of descriptor: Int32, seconds: Int) {
        var time = timeval(tv_sec: seconds, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    }

    private static func make() throws(ServiceFailure) -> Int32 {
        let type = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let descriptor = socket(AF_UNIX, type, 0)
        guard descriptor >= 0 else { throw .system("make a socket") }
        return descriptor
    }

    private static func withAddress(
        folder: String, name: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(ServiceFailure) -> Int32 {
        let parent = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard parent >= 0 else { throw .system("open \(folder)") }
        defer { close(parent) }
        let path = Array("/proc/self/fd/\(parent)/\(name)".utf8)
        var address = sockaddr_un()
        guard path.count < MemoryLayout.size(ofValue: address.sun_path) else {
            throw ServiceFailure("the socket name \(name) is too long")
        }
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path) }
        return withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}
