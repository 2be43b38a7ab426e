import GRDB
import HTTPTypes
import HummingbirdCore
import LeitzCloudAPI
import NIOCore
import NIOPosix

/// A folder as a zip archive, streamed: what is not deleted, out of one unchanging view of the
/// database (API v2, "Herunterladen eines Ordners").
struct ZipDownload: Sendable {
    private static let pageSize = 500

    let services: CloudServices
    let context: CallContext

    func run(_ address: ItemAddress) async throws -> Response {
        let context = context
        let view = try await services.content.threads.runIfActive {
            [database = services.database] in
            try database.snapshot()
        }
        let top = try await view.read { db in
            let tree = try Tree(db, context)
            let root = try tree.root(address.root)
            try root.require(PermissionWord.read)
            if case .folder(_, let id) = address, id != 0 {
                return try tree.liveFolder(id, in: root).folder
            }
            return try tree.top(of: root).folder
        }
        let walk = Walk(services: services, view: view, now: context.now)
        return Response(
            status: .ok, headers: [.contentType: "application/zip"],
            body: ResponseBody { writer in
                var archive = ZipArchive()
                try await walk.write(top.id, &archive, &writer)
                try await writer.write(archive.finish())
                try await writer.finish(nil)
            })
    }

    /// Goes through the folders, the ones still to come on a stack of ids and names.
    private struct Walk: Sendable {
        let services: CloudServices
        let view: DatabaseView
        let now: Int64

        func write(
            _ top: Int64, _ archive: inout ZipArchive, _ writer: inout any ResponseBodyWriter
        ) async throws {
            var open: [(id: Int64, prefix: String)] = [(top, "")]
            while let folder = open.popLast() {
                var last = Int64.min
                while let page = try await files(in: folder.id, after: last) {
                    for file in page {
                        try await write(file, folder.prefix, &archive, &writer)
                        last = file.id
                    }
                }
                last = .min
                while let page = try await folders(in: folder.id, after: last) {
                    for child in page {
                        let prefix = folder.prefix + child.name + "/"
                        let entry = ZipArchive.Entry(name: prefix, size: 0, modified: now)
                        try await writer.write(archive.begin(entry))
                        try await writer.write(archive.end(entry, checksum: 0))
                        open.append((child.id, prefix))
                        last = child.id
                    }
                }
            }
        }

        private func write(
            _ file: FileRow, _ prefix: String, _ archive: inout ZipArchive,
            _ writer: inout any ResponseBodyWriter
        ) async throws {
            let entry = ZipArchive.Entry(
                name: prefix + file.name, size: file.size, modified: file.modified)
            try await writer.write(archive.begin(entry))
            var checksum = CRC32()
            if file.size > 0 {
                let open = try await services.content.open(file.revision, size: file.size)
                var offset: Int64 = 0
                while offset < file.size {
                    let count = Int(min(Int64(ContentStore.pieceSize), file.size - offset))
                    let piece = try await services.content.read(open, at: offset, count: count)
                    checksum.update(piece)
                    try await writer.write(piece)
                    offset += Int64(count)
                }
            }
            try await writer.write(archive.end(entry, checksum: checksum.value))
        }

        /// The next page of files, nil behind the last one.
        private func files(in folder: Int64, after last: Int64) async throws -> [FileRow]? {
            let now = now
            let page = try await view.read { db in
                try Row.fetchAll(
                    db,
                    sql: """
                        SELECT \(FileRow.columns) FROM files
                        WHERE parent_id = ? AND id > ? AND is_deleted = 0 ORDER BY id LIMIT ?
                        """, arguments: [folder, last, ZipDownload.pageSize]
                ).map { FileRow($0, now: now) }
            }
            return page.isEmpty ? nil : page
        }

        private func folders(in folder: Int64, after last: Int64) async throws -> [FolderRow]? {
            let now = now
            let page = try await view.read { db in
                try Row.fetchAll(
                    db,
                    sql: """
                        SELECT \(FolderRow.columns) FROM folders
                        WHERE parent_id = ? AND id > ? AND is_deleted = 0 ORDER BY id LIMIT ?
                        """, arguments: [folder, last, ZipDownload.pageSize]
                ).map { FolderRow($0, now: now) }
            }
            return page.isEmpty ? nil : page
        }
    }
}
