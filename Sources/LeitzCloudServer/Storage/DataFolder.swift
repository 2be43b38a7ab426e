import Glibc

/// The layout of the data folder, and the lock that gives it to one server only.
struct DataFolder: Sendable {
    let path: String
    private let lock: OpenFile

    var database: String { path + "/cloud.sqlite" }
    /// Content files, one per revision.
    var content: String { path + "/content" }
    /// Uploads that are not complete; emptied at start.
    var incoming: String { path + "/incoming" }
    /// The pieces of files that WebDAV clients send in several requests.
    var chunks: String { path + "/chunks" }
    var authorityCertificate: String { path + "/ca.pem" }
    var authorityKey: String { path + "/ca-key.pem" }
    var serverCertificate: String { path + "/server.pem" }
    var serverKey: String { path + "/server-key.pem" }

    /// Makes the folder where it is missing, locks it and empties `incoming`.
    ///
    /// Blocks on the disk.
    init(path: String) throws(EmbeddedCloudError) {
        self.path = path
        try SystemFile.makeFolders(path)
        let lockPath = path + "/lock"
        lock = OpenFile(try SystemFile.open(lockPath, O_RDWR | O_CREAT))
        if flock(lock.descriptor, LOCK_EX | LOCK_NB) != 0 {
            throw errno == EWOULDBLOCK ? .dataFolderInUse(path) : SystemFile.failure(lockPath)
        }
        try SystemFile.makeFolder(content)
        try SystemFile.makeFolder(incoming)
        try SystemFile.makeFolder(chunks)
        for name in try SystemFile.names(in: incoming) {
            try SystemFile.remove(incoming + "/" + name)
        }
    }

    /// Gives the folder free; open files of it may still be read.
    func unlock() throws(EmbeddedCloudError) {
        if flock(lock.descriptor, LOCK_UN) != 0 { throw SystemFile.failure(path) }
    }
}
