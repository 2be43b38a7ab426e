import CloudStorage
import TestSupport
import Testing

@testable import WebDAVClient

/// One look that tells what has become of many uploads.
@Suite struct FolderLookTests {
    private let folder = RemotePath.top

    /// Pauses never end.
    private let patient = FolderLooks { _ in throw CancellationError() }

    private func path(_ number: Int) -> RemotePath {
        folder.appending(Array("f\(number)".utf8))
    }

    private func item(_ number: Int) -> CloudItem {
        CloudItem(
            reference: ItemReference(
                root: WebDAVClient.root, kind: .file, id: nil, path: path(number).text),
            name: "f\(number)", size: 1, revision: "r\(number)", modified: nil)
    }

    /// What uploads of these numbers get, whichever of them is last; who lists sees `shown`.
    private func turns(
        of looks: FolderLooks, _ numbers: Range<Int>, shown: [CloudItem] = []
    ) async -> (lists: Int, alone: Int, found: Set<String>) {
        for _ in numbers { looks.begin(in: folder) }
        return await withTaskGroup(of: FolderLooks.Turn.self) { group in
            for number in numbers {
                group.addTask { await looks.turn(for: path(number), in: folder) }
            }
            var result = (lists: 0, alone: 0, found: Set<String>())
            for await turn in group {
                switch turn {
                case .lookAlone: result.alone += 1
                case .found(let item): result.found.insert(item.name)
                case .list(let others):
                    result.lists += 1
                    looks.tell(others, shown)
                }
            }
            return result
        }
    }

    @Test func oneOfManyLooksForAll() async {
        let result = await turns(of: patient, 0..<10, shown: (0..<10).map { item($0) })
        #expect(result.lists == 1 && result.alone == 0 && result.found.count == 9)
    }

    @Test func whatAListingDoesNotShowIsLookedAtAlone() async {
        let result = await turns(of: patient, 0..<10)
        #expect(result.lists == 1 && result.alone == 9)
    }

    @Test func fewLookAlone() async {
        #expect(await turns(of: patient, 0..<1).alone == 1)
        #expect(await turns(of: patient, 0..<2).alone == 2)
    }

    @Test func aLargeFolderIsNotListed() async {
        patient.note(size: 1_000, of: folder)
        #expect(await turns(of: patient, 0..<10).alone == 10)
    }

    @Test func manyDoNotWaitForTheLast() async {
        // One more that never ends.
        patient.begin(in: folder)
        let result = await turns(of: patient, 0..<40, shown: (0..<40).map { item($0) })
        #expect(result.lists == 2 && result.found.count == 38)
    }

    @Test func anUploadThatFailsIsNotWaitedFor() async {
        patient.begin(in: folder)
        async let result = turns(of: patient, 0..<5, shown: (0..<5).map { item($0) })
        patient.end(in: folder)
        #expect(await result.lists == 1)
    }

    @Test func whoGivesUpKeepsNobodyWaiting() async {
        for _ in 0..<2 { patient.begin(in: folder) }
        let first = Task { await patient.turn(for: path(0), in: folder) }
        first.cancel()
        guard case .lookAlone = await first.value else {
            Issue.record("it waited")
            return
        }
        patient.end(in: folder)
        let result = await turns(of: patient, 1..<4, shown: (1..<4).map { item($0) })
        #expect(result.lists == 1 && result.found.count == 2)
    }

    @Test func aLongUploadIsNotWaitedFor() async {
        let hasty = FolderLooks { _ in }
        hasty.begin(in: folder)
        let result = await turns(of: hasty, 0..<5, shown: (0..<5).map { item($0) })
        #expect(result.alone + result.lists + result.found.count == 5)
    }

    /// Some servers don't list names that begin with a dot.
    @Test func filesUploadedTogetherCostOneListing() async throws {
        let names = ["a", "b", "c", ".d"]
        try await ClientScene.with(.generic, pauses: false) {
            $0.honoursConditions = true
        } script: { request, _ in
            if request.method == "PUT" { return .answer(201) }
            guard request.header("Depth") == "1" else { return fileAnswer(request.path) }
            return listing(names.filter { $0 != ".d" })
        } _: { scene in
            // Nobody looks before all have been sent.
            scene.client.looks.begin(in: .top)
            try await withThrowingTaskGroup(of: CloudItem.self) { group in
                for name in names {
                    let content = try scene.content("abc")
                    group.addTask {
                        try await scene.client.upload(
                            content, name: name, to: scene.top, onto: .nothing)
                    }
                }
                try await eventually { scene.server.count("PUT") == names.count }
                scene.client.looks.end(in: .top)
                var items: [CloudItem] = []
                for try await item in group { items.append(item) }
                #expect(Set(items.map(\.name)) == Set(names))
                #expect(items.allSatisfy { $0.size == 3 && $0.revision?.isEmpty == false })
            }
            let looks = scene.server.requests.filter { $0.method == "PROPFIND" }.map(\.path)
            #expect(looks == ["/dav/", "/dav/.d"])
        }
    }
}

/// The multistatus answer about a folder of files.
private func listing(_ names: [String]) -> ScriptedAnswer {
    let files = names.map { name in
        """
        <d:response><d:href>/dav/\(name)</d:href><d:propstat><d:prop><d:resourcetype/>\
        <d:getcontentlength>3</d:getcontentlength><d:getetag>"e1"</d:getetag></d:prop>\
        <d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>
        """
    }
    return .text(
        207,
        """
        <d:multistatus xmlns:d="DAV:"><d:response><d:href>/dav/</d:href><d:propstat><d:prop>\
        <d:resourcetype><d:collection/></d:resourcetype></d:prop>\
        <d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>\(files.joined())\
        </d:multistatus>
        """)
}
