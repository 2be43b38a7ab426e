import AsyncHTTPClient
import Foundation
import LeitzCloudAPI
import LeitzCloudServer
import NIOCore
import NIOHTTP1
import Testing

@Suite struct TransferTests {
    @Test(arguments: [0, 1, 262_143, 262_144, 262_145, 5_000_000])
    func contentComesBackAsItWasSent(size: Int) async throws {
        try await CloudHarness.run { harness async throws in
            // Delimiter-like bytes all over, so that the search for the delimiter is put to the test.
            let pattern = Array("\r\n--B\r\n--B1x\r\r\n-".utf8)
            let content = (0..<size).map { pattern[$0 % pattern.count] &+ UInt8($0 / 100_000 % 3) }
            let answer = try await harness.upload("datei ü.bin", content)
            let item = try answer.decode(WireItem.self)
            #expect(item.path == "/datei ü.bin")
            #expect(item.size == Int64(size))
            #expect(item.isDeleted == false)
            let back = try await harness.get(harness.files + "/\(item.id)/download")
            #expect(back.headers["content-length"] == ["\(size)"])
            #expect(Array(back.body.readableBytesView) == content)
        }
    }

    @Test func aBodyInSingleBytesIsReadAlike() async throws {
        try await CloudHarness.run { harness async throws in
            let body =
                "preamble\r\n--B0  \r\nContent-Disposition: form-data; name=\"note\"\r\n\r\nhello"
                + "\r\n--B0\r\nX-Other: y\r\ncontent-disposition: form-data; name=file; "
                + "filename=\"no\"; filename*=UTF-8''na%20%C3%A4%22me\r\n\r\nin\r\n--Bhalt"
                + "\r\n--B0--\r\nepilogue"
            var request = harness.uploadRequest()
            let pieces = AsyncStream<ByteBuffer> { source in
                for byte in body.utf8 { source.yield(ByteBuffer(bytes: [byte])) }
                source.finish()
            }
            request.body = .stream(pieces, length: .unknown)
            let item = try await harness.send(request).decode(WireItem.self)
            #expect(item.path == "/na ä\"me")
            #expect(
                try await harness.get(harness.files + "/\(item.id)/download").text
                    == "in\r\n--Bhalt")
        }
    }

    @Test(
        arguments: [
            ("plain.txt", "plain.txt"), ("a%22b", "a\"b"), ("100%25", "100%25"),
            ("q\\\"q", "q\"q"), ("semi;colon=x", "semi;colon=x"),
        ])
    func fileNamesAreReadAsClientsWriteThem(sent: String, name: String) async throws {
        try await CloudHarness.run { harness async throws in
            #expect(try await harness.uploaded(sent).path == "/" + name)
        }
    }

    @Test func badUploadsAreNamed() async throws {
        try await CloudHarness.run { harness async throws in
            let missing = try await harness.uploadRaw(
                Array("--B0\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n1\r\n--B0--".utf8))
            #expect(missing.failure == "400 no_file_received")
            #expect(missing.text.contains("Missing required file: file"))
            #expect(try await harness.upload("", "x".utf8).failure == "400 no_file_received")
            #expect(
                try await harness.post(harness.files + "/upload", [("file", "x")]).failure
                    == "400 no_file_received")
            for name in ["..", "a/b", "a\\b", "a\tb"] {
                #expect(try await harness.upload(name, "x".utf8).failure == "400 invalid_name")
            }
            let long = String(repeating: "n", count: 256)
            #expect(try await harness.upload(long, "x".utf8).failure == "400 name_too_long")
            let raw = try await harness.uploadRaw(
                Array("--B0\r\nContent-Disposition: form-data; name=file; filename=\"".utf8)
                    + [0xff, 0xfe] + Array("\"\r\n\r\nx\r\n--B0--\r\n".utf8))
            #expect(raw.failure == "400 invalid_name")
            let open = try await harness.uploadRaw(
                Array("--B0\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\nx".utf8)
            )
            #expect(open.failure == "400 invalid_request")
            let header = [UInt8](repeating: UInt8(ascii: "h"), count: 20_000)
            #expect(
                try await harness.uploadRaw(Array("--B0\r\n".utf8) + header).failure
                    == "400 invalid_request")
            #expect(try await harness.paths() == [])
            try harness.expectNothingIncoming()
        }
    }

    @Test func anUploadThatBreaksOffLeavesNothing() async throws {
        try await CloudHarness.run { harness async throws in
            struct GaveUp: Error {}
            var request = harness.uploadRequest()
            let head = "--B0\r\nContent-Disposition: form-data; name=file; filename=a\r\n\r\n"
            let pieces = AsyncThrowingStream<ByteBuffer, any Error> { source in
                source.yield(ByteBuffer(string: head))
                source.yield(ByteBuffer(repeating: 7, count: 2_000_000))
                source.finish(throwing: GaveUp())
            }
            request.body = .stream(pieces, length: .known(Int64(10_000_000)))
            let broken = request
            await #expect(throws: (any Error).self) { try await harness.send(broken) }
            // The server notices in its own time; a later upload of the same name must work.
            _ = try await harness.uploaded("a", "ganz")
            try await harness.waitUntilNothingIncoming()
            #expect(try await harness.paths() == ["/a"])
        }
    }

    @Test func anUploadOntoATakenNameIsAConflictByDefault() async throws {
        try await CloudHarness.run { harness async throws in
            let file = try await harness.uploaded("a", "alt")
            #expect(try await harness.upload("a", "neu".utf8).failure == "409 name_conflict")
            // Long ones are refused before their content is received.
            let long = [UInt8](repeating: 1, count: 3_000_000)
            #expect(try await harness.upload("a", long).failure == "409 name_conflict")
            #expect(try await harness.get(harness.files + "/\(file.id)/download").text == "alt")
            try await harness.waitUntilNothingIncoming()
        }
    }

    @Test func anUploadOntoATakenNameMayMakeARevision() async throws {
        var behaviour = ServerBehaviour()
        behaviour.uploadOntoName = .revision
        try await CloudHarness.run(behaviour) { harness async throws in
            let first = try await harness.uploaded("a", "alt")
            harness.clock.advance(60)
            let second = try await harness.uploaded("a", "neuer")
            #expect(second.id == first.id)
            #expect(try #require(second.revisionID) > #require(first.revisionID))
            #expect(second.created == first.created)
            #expect(second.modified != first.modified)
            #expect(try await harness.get(harness.files + "/\(first.id)/download").text == "neuer")
            #expect(try await harness.get(harness.files).decode(WireRoot.self).spaceUsed == 5)
            #expect(try harness.contentFiles().count == 2)
        }
    }

    @Test func sizeAndQuotaAreLimits() async throws {
        var behaviour = ServerBehaviour()
        behaviour.maximumFileSizeMB = 1
        try await CloudHarness.run(behaviour) { harness async throws in
            let exact = [UInt8](repeating: 1, count: 1_048_576)
            #expect(try await harness.upload("fits", exact).status == 200)
            #expect(try await harness.upload("big", exact + [1]).failure == "409 policy_error")
            let poor = try await harness.cloud.ensurePerson(
                email: "p@example.com", password: "p", displayName: "P", quota: 10)
            try await harness.cloud.subscribe(
                person: poor, root: harness.root, permissions: fullAccess)
            let token = try await CloudHarness.signIn(
                harness.client, harness.cloud.url, "p@example.com", "p")
            let six = Array("123456".utf8)
            let answer = try await harness.upload("six", six, token: token)
            let file = try answer.decode(WireItem.self)
            #expect(
                try await harness.upload("more", six, token: token).failure == "409 policy_error")
            _ = try await harness.post(harness.files + "/\(file.id)/delete")
            #expect(try await harness.upload("more", six, token: token).status == 200)
            try await harness.waitUntilNothingIncoming()
        }
    }

    @Test func rangesAreIgnoredUnlessSupported() async throws {
        try await CloudHarness.run { harness async throws in
            let file = try await harness.uploaded("a", "0123456789")
            let place = harness.files + "/\(file.id)/download"
            let whole = try await harness.get(place, headers: [("range", "bytes=2-4")])
            #expect(whole.status == 200)
            #expect(whole.text == "0123456789")
            var behaviour = harness.cloud.behaviour
            behaviour.supportsRanges = true
            harness.cloud.setBehaviour(behaviour)
            for (range, status, text, content) in [
                ("bytes=2-4", 206, "234", "bytes 2-4/10"),
                ("bytes=7-", 206, "789", "bytes 7-9/10"),
                ("bytes=-3", 206, "789", "bytes 7-9/10"),
                ("bytes=8-99", 206, "89", "bytes 8-9/10"),
                ("bytes=10-", 416, "", "bytes */10"), ("bytes=4-2", 200, "0123456789", nil),
                ("bytes=0-1,3-4", 200, "0123456789", nil), ("x", 200, "0123456789", nil),
            ] as [(String, Int, String, String?)] {
                let answer = try await harness.get(place, headers: [("range", range)])
                #expect(answer.status == status, "\(range)")
                #expect(answer.text == text, "\(range)")
                #expect(answer.headers.first(name: "content-range") == content, "\(range)")
            }
        }
    }

    @Test func aFolderComesAsAZipThatPythonReads() async throws {
        try await CloudHarness.run { harness async throws in
            let top = try await harness.makeFolder("top")
            let sub = try await harness.makeFolder("ünter", in: top.id)
            _ = try await harness.makeFolder("leer", in: sub.id)
            _ = try await harness.uploaded("a.txt", "alpha", folder: top.id)
            let big = String(repeating: "0123456789", count: 60_000)
            _ = try await harness.uploaded("b.txt", big, folder: sub.id)
            let gone = try await harness.uploaded("gone", folder: top.id)
            _ = try await harness.post(harness.files + "/\(gone.id)/delete")
            let zip = try await harness.get(harness.files + "/folder/\(top.id)/download")
            #expect(zip.headers["content-type"] == ["application/zip"])
            let path = harness.folder + "/test.zip"
            try Data(zip.body.readableBytesView).write(to: URL(fileURLWithPath: path))
            let script = """
                import sys, zipfile
                z = zipfile.ZipFile(sys.argv[1]); assert z.testzip() is None
                for i in z.infolist(): print(i.filename, i.file_size)
                """
            let output = try await python(script, path)
            #expect(
                Set(output.split(separator: "\n").map(String.init)) == [
                    "a.txt 5", "ünter/ 0", "ünter/b.txt 600000", "ünter/leer/ 0",
                ])
        }
    }

    private func python(_ script: String, _ argument: String) async throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["python3", "-X", "utf8", "-c", script, argument]
        let output = Pipe()
        process.standardOutput = output
        let status = try await withCheckedThrowingContinuation {
            (done: CheckedContinuation<Int32, any Error>) in
            process.terminationHandler = { done.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { done.resume(throwing: error) }
        }
        #expect(status == 0)
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        return String(decoding: data, as: UTF8.self)
    }

    @Test func manyUploadsAtOnceAreAllKept() async throws {
        try await CloudHarness.run { harness async throws in
            let folder = try await harness.makeFolder("many")
            try await withThrowingTaskGroup { group in
                for worker in 0..<8 {
                    group.addTask {
                        for index in 0..<50 {
                            _ = try await harness.uploaded(
                                "f-\(worker)-\(index)", "content \(worker) \(index)",
                                folder: folder.id)
                        }
                    }
                }
                try await group.waitForAll()
            }
            let children = try await harness.listing(folder.id).children ?? []
            #expect(Set(children.map(\.path)).count == 400)
            #expect(Set(children.compactMap(\.revisionID)).count == 400)
            for child in children.prefix(20) {
                let words = child.path.split(separator: "-")
                let text = try await harness.get(harness.files + "/\(child.id)/download").text
                #expect(text == "content \(words[1]) \(words[2])")
            }
        }
    }
}

extension CloudHarness {
    func incomingFiles() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder + "/incoming")
    }

    func expectNothingIncoming() throws { #expect(try incomingFiles() == []) }

    /// Waits, at most ten seconds, for the server to clean up behind a broken upload; each look
    /// is one request, so that the server has its turn.
    func waitUntilNothingIncoming() async throws {
        let deadline = ContinuousClock.now + .seconds(10)
        while try !incomingFiles().isEmpty, ContinuousClock.now < deadline {
            _ = try await get("/api/2/version")
        }
        try expectNothingIncoming()
    }

    func contentFiles() throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: folder + "/content")
            .filter { $0.contains("/") }
    }
}
