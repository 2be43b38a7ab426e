import CloudStorage
import FileSystemTypes
import TestSupport
import Testing

@testable import WebDAVClient

/// Revisions of many files: as one listing where that is cheaper, and the same either way.
@Suite struct RevisionTests {
    /// A listing of a folder's files, each with its own ETag.
    private static func listing(_ href: String, _ files: [(name: String, etag: String)])
        -> ScriptedAnswer
    {
        let entries = files.map { file in
            "<d:response><d:href>\(href)\(file.name)</d:href><d:propstat><d:prop><d:resourcetype/>"
                + "<d:getcontentlength>3</d:getcontentlength>"
                + "<d:getlastmodified>Sun, 06 Nov 1994 08:49:37 GMT</d:getlastmodified>"
                + "<d:getetag>&quot;\(file.etag)&quot;</d:getetag></d:prop>"
                + "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
        }
        return .text(
            207,
            """
            <d:multistatus xmlns:d="DAV:"><d:response><d:href>\(href)</d:href><d:propstat><d:prop>\
            <d:resourcetype><d:collection/></d:resourcetype></d:prop>\
            <d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>\(entries.joined())\
            </d:multistatus>
            """)
    }

    /// Files a to e in the folder f.
    private static let script: ScriptedServer.Script = { request, _ in
        if request.path == "/dav/f/" {
            return listing("/dav/f/", "abcde".map { (String($0), "tag-\($0)") })
        }
        guard let name = request.path.split(separator: "/").last, "abcde".contains(name) else {
            return .text(404, "")
        }
        return fileAnswer(request.path, etag: "\"tag-\(name)\"")
    }

    private func folder(_ path: String) -> ItemReference {
        ItemReference(root: WebDAVClient.root, kind: .folder, id: nil, path: path)
    }

    private func depths(_ scene: ClientScene) -> [String?] {
        scene.server.requests.map { $0.header("Depth") }
    }

    private static let expected = "abcde".map { "3 784111777 tag-\($0)" }

    @Test func aFolderThatWasListedIsListedAgain() async throws {
        try await ClientScene.with(.generic, script: Self.script) { scene in
            _ = try await scene.client.list(folder("/f"), validator: nil)
            let files = ["d", "a", "x", "c", "b"].map { scene.file("/f/\($0)") }
            let revisions = await scene.client.revisions(of: files)
            #expect(
                revisions == [
                    Self.expected[3], Self.expected[0], nil, Self.expected[2], Self.expected[1],
                ])
            #expect(depths(scene) == ["1", "1"])
            // What nobody needs for a revision costs servers time, locks above all.
            let body = try #require(scene.server.requests.last?.body)
            #expect(!String(decoding: body, as: UTF8.self).contains("lockdiscovery"))
        }
    }

    @Test func fewFilesAndFoldersOfUnknownSizeAreAskedAboutFileByFile() async throws {
        try await ClientScene.with(.generic, script: Self.script) { scene in
            let files = ["a", "b", "x", "c", "d", "e"].map { scene.file("/f/\($0)") }
            let expected = [
                Self.expected[0], Self.expected[1], nil, Self.expected[2], Self.expected[3],
                Self.expected[4],
            ]
            #expect(await scene.client.revisions(of: files) == expected)
            #expect(depths(scene) == Array(repeating: "0", count: 6))
            _ = try await scene.client.list(folder("/f"), validator: nil)
            #expect(
                await scene.client.revisions(of: Array(files.prefix(3)))
                    == Array(expected.prefix(3)))
            #expect(depths(scene).suffix(3) == ["0", "0", "0"])
            #expect(await scene.client.revisions(of: []).isEmpty)
        }
    }

    @Test func aLargeFolderIsNotListedForFewFiles() async throws {
        try await ClientScene.with(.generic) { request, before in
            guard request.path == "/dav/f/" else { return Self.script(request, before) }
            return Self.listing("/dav/f/", (0..<41).map { (String($0), "tag") })
        } _: { scene in
            _ = try await scene.client.list(folder("/f"), validator: nil)
            let files = "abcde".map { scene.file("/f/\($0)") }
            #expect(await scene.client.revisions(of: files) == Self.expected)
            #expect(depths(scene) == ["1"] + Array(repeating: "0", count: 5))
        }
    }

    @Test func aFolderThatCannotBeListedIsAskedAboutFileByFile() async throws {
        try await ClientScene.with(.generic) { request, before in
            request.path == "/dav/f/" && before > 0 ? .text(403, "") : Self.script(request, before)
        } _: { scene in
            _ = try await scene.client.list(folder("/f"), validator: nil)
            let files = "abcde".map { scene.file("/f/\($0)") }
            #expect(await scene.client.revisions(of: files) == Self.expected)
        }
    }

    @Test func anotherFileUnderTheNameHasNoRevision() async throws {
        try await ClientScene.with(.nextcloud) { request, _ in
            fileAnswer(request.path, extra: "<oc:fileid>8</oc:fileid>")
        } _: { scene in
            let files = [scene.file("/a", id: "7"), scene.file("/b", id: "8")]
            #expect(await scene.client.revisions(of: files) == [nil, "\"e1\""])
        }
    }
}
