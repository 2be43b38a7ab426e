import GRDB

/// Files that arrive in pieces, as the database knows them (FACTS 2.8).
struct Uploads {
    /// Seconds without a request after which an upload is forgotten.
    static let maximumIdle: Int64 = 86_400
    /// Of one person.
    static let maximumUploads = 100
    static let maximumChunks: Int64 = 10_000

    struct Upload: Sendable {
        var id: Int64
        var name: String
        var lastUsed: Int64
    }

    struct Chunk: Sendable, Equatable {
        var number: Int64
        /// As the client wrote the number.
        var name: String
        /// The name of its file.
        var content: String
        var size: Int64
        var modified: Int64
    }

    let db: Database
    let person: Int64
    let now: Int64

    /// Begins an upload; throws 405 for a known name and 507 where there are too many.
    func begin(_ name: String) throws {
        if try find(name) != nil {
            throw DAVError.methodNotAllowed("The resource you tried to create already exists")
        }
        let count = try Int.fetchOne(
            db, sql: "SELECT count(*) FROM dav_uploads WHERE person_id = ?", arguments: [person])
        if count ?? 0 >= Self.maximumUploads { throw DAVError.insufficientStorage([name]) }
        try db.execute(
            sql:
                "INSERT INTO dav_uploads (person_id, name, created, last_used) VALUES (?, ?, ?, ?)",
            arguments: [person, name, now, now])
    }

    func find(_ name: String) throws -> Upload? {
        try all().first { $0.name.utf8.elementsEqual(name.utf8) }
    }

    /// The upload of a name; throws 404.
    func upload(_ name: String) throws -> Upload {
        guard let upload = try find(name) else { throw DAVError.notFound([name]) }
        return upload
    }

    func all() throws -> [Upload] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT id, name, last_used FROM dav_uploads WHERE person_id = ? AND last_used > ?
                ORDER BY id
                """, arguments: [person, now - Self.maximumIdle]
        ).map { Upload(id: $0[0], name: $0[1], lastUsed: $0[2]) }
    }

    /// In the order of their numbers.
    func chunks(of upload: Upload) throws -> [Chunk] {
        try Row.fetchAll(
            db,
            sql: """
                SELECT number, name, content, size, modified FROM dav_chunks WHERE upload_id = ?
                ORDER BY number
                """, arguments: [upload.id]
        ).map {
            Chunk(number: $0[0], name: $0[1], content: $0[2], size: $0[3], modified: $0[4])
        }
    }

    /// Bytes of all pieces that the person has sent.
    func storedBytes() throws -> Int64 {
        try Int64.fetchOne(
            db,
            sql: """
                SELECT coalesce(sum(c.size), 0) FROM dav_chunks c
                JOIN dav_uploads u ON u.id = c.upload_id WHERE u.person_id = ?
                """, arguments: [person]) ?? 0
    }

    /// Notes a piece; gives the file of the one that it replaces.
    func add(_ chunk: Chunk, to upload: Upload) throws -> String? {
        let replaced = try String.fetchOne(
            db, sql: "SELECT content FROM dav_chunks WHERE upload_id = ? AND number = ?",
            arguments: [upload.id, chunk.number])
        try db.execute(
            sql: """
                INSERT OR REPLACE INTO dav_chunks
                (upload_id, number, name, content, size, modified) VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [upload.id, chunk.number, chunk.name, chunk.content, chunk.size, now])
        try db.execute(
            sql: "UPDATE dav_uploads SET last_used = ? WHERE id = ?", arguments: [now, upload.id])
        return replaced
    }

    /// Forgets a piece; gives its file.
    func remove(_ number: Int64, of upload: Upload) throws -> [String] {
        let chunk = try chunks(of: upload).first { $0.number == number }
        guard let chunk else { throw DAVError.notFound([upload.name, String(number)]) }
        try db.execute(
            sql: "DELETE FROM dav_chunks WHERE upload_id = ? AND number = ?",
            arguments: [upload.id, number])
        return [chunk.content]
    }

    /// Forgets an upload; gives the files of its pieces.
    func end(_ upload: Upload) throws -> [String] {
        let files = try chunks(of: upload).map(\.content)
        try db.execute(sql: "DELETE FROM dav_chunks WHERE upload_id = ?", arguments: [upload.id])
        try db.execute(sql: "DELETE FROM dav_uploads WHERE id = ?", arguments: [upload.id])
        return files
    }

    /// Forgets the uploads of all persons that nobody has gone on with; gives their files.
    static func endIdle(_ db: Database, now: Int64) throws -> [String] {
        let files = try String.fetchAll(
            db,
            sql: """
                SELECT c.content FROM dav_chunks c JOIN dav_uploads u ON u.id = c.upload_id
                WHERE u.last_used <= ?
                """, arguments: [now - maximumIdle])
        try db.execute(
            sql: """
                DELETE FROM dav_chunks WHERE upload_id IN
                (SELECT id FROM dav_uploads WHERE last_used <= ?)
                """, arguments: [now - maximumIdle])
        try db.execute(
            sql: "DELETE FROM dav_uploads WHERE last_used <= ?", arguments: [now - maximumIdle])
        return files
    }
}
