import AsyncHTTPClient
import LeitzCloudAPI
import LeitzCloudServer
import NIOCore
import NIOHTTP1
import Testing

/// Every method of the API document, called as documented, has the documented answer.
@Suite struct DocumentExampleTests {
    @Test func theDocumentIsReadWhole() throws {
        let document = try APIDocument.read()
        #expect(document.methods.count == 89)
        #expect(Set(document.methods.map(\.line)).count == 89)
        #expect(document.objects.count == 18)
        let ofMethods = document.methods.map(\.failures.count).reduce(0, +)
        #expect(ofMethods + document.failures.values.map(\.count).reduce(0, +) == 48)
        #expect(document.methods.map(\.fields.count).reduce(0, +) == 174)
    }

    @Test func everyMethodAnswersAsDocumented() async throws {
        let document = try APIDocument.read()
        try await CloudHarness.run { harness in
            var scene = try await DocumentScene(harness)
            for method in document.methods {
                let line = method.line
                guard let call = scene.call(line) else {
                    Issue.record("no example of \(line)")
                    continue
                }
                let given = Set(call.fields.map(\.0)).union(call.file == nil ? [] : ["file"])
                #expect(Set(method.fields).subtracting(given) == [], "\(line)")
                let answer = try await harness.send(scene.request(line, call))
                let documented = method.answers.first ?? APIDocument.Answer(status: 200)
                #expect(answer.status == documented.status, "\(line): \(answer.text)")
                if documented.isBinary {
                    Self.expectContent(answer, of: line)
                    continue
                }
                let object = try answer.decode([String: JSONValue].self)
                scene.note(object, of: line)
                Self.expect(
                    object, document, documented.body ?? Self.undocumentedBody(line, document),
                    call, line)
                for other in method.answers.dropFirst() {
                    let again = try await harness.send(
                        scene.request(line, call, hash: scene.text("hash", of: line)))
                    #expect(again.status == other.status, "\(line)")
                }
            }
        }
    }

    /// Shares of files and folders have an object, but no answer is shown; elsewhere nothing is to
    /// be said but that it was done.
    private static func undocumentedBody(_ line: String, _ document: APIDocument) -> JSONValue {
        guard line.hasSuffix("/share"),
            let share = document.object(for: "file share objects")
        else { return .object(["status": .text("ok")]) }
        return share
    }

    private static func expect(
        _ object: [String: JSONValue], _ document: APIDocument, _ documented: JSONValue,
        _ call: DocumentedCall, _ line: String
    ) {
        func asks(_ name: String) -> Bool { call.fields.contains { $0 == (name, "true") } }
        var shape = DocumentedShape(document: document)
        if !asks("include_permissions") { shape.absent.insert("permissions") }
        if !asks("include_children") { shape.absent.formUnion(["children", "hash"]) }
        shape.nullable = call.nullable
        let differences = shape.differences(documented, .object(object))
        #expect(differences == [], "\(line)")
        if case .object(let fields) = documented, fields["status"] != nil {
            #expect(documented == .object(object), "\(line)")
        }
        for (path, value) in call.expected {
            let names = path.split(separator: "/").map(String.init)
            var found: JSONValue? = .object(object)
            for name in names {
                guard case .object(let fields)? = found else { break }
                found = fields[name]
            }
            // What a form sets is text there, whatever its type.
            let isSame = found == value || names.count > 1 && found?.formText == value.formText
            #expect(isSame, "\(line): \(path) is \(String(describing: found)), not \(value)")
        }
        if case .integer(let total)? = object["total"], case .list(let results)? = object["results"]
        {
            #expect(total == results.count, "\(line)")
        }
    }

    private static func expectContent(_ answer: Answer, of line: String) {
        if line.contains("/folder/") {
            #expect(answer.body.readableBytesView.starts(with: "PK".utf8), "\(line)")
            #expect(answer.headers.first(name: "content-type") == "application/zip")
        } else {
            #expect(answer.text == "content", "\(line)")
        }
    }
}

extension DocumentScene {
    /// How a documented request is sent here; nil for one that is not known.
    func call(_ line: String) -> DocumentedCall? {
        if line == "GET /api/2/version" {
            return DocumentedCall(expected: ["version": .text("2.0.9")])
        }
        return folderCall(line) ?? fileCall(line) ?? rootCall(line) ?? organizationCall(line)
            ?? personCall(line) ?? guestCall(line) ?? groupCall(line) ?? machineCall(line)
            ?? activityCall(line)
    }

    /// - Parameter hash: put in the place of the one that the call has.
    func request(_ line: String, _ call: DocumentedCall, hash: String? = nil) throws
        -> HTTPClientRequest
    {
        let words = line.split(separator: " ", maxSplits: 1).map(String.init)
        var path = words[1]
        for (name, value) in call.values { path = path.replacing("<\(name)>", with: value) }
        try #require(!path.contains("<"), "\(path)")
        let fields = call.fields.map { ($0, $0 == "hash" ? hash ?? $1 : $1) }
        if words[0] == "GET", !fields.isEmpty { path += "?" + CloudHarness.encode(fields) }
        var request = harness.request(path, token: call.token)
        request.method = HTTPMethod(rawValue: words[0])
        if let file = call.file {
            request.headers.add(
                name: "content-type", value: "multipart/form-data; boundary=B0")
            let field = file.name.isEmpty ? "other" : "file"
            request.body = .bytes(
                ByteBuffer(
                    string: """
                        --B0\r\nContent-Disposition: form-data; name="\(field)"; \
                        filename="\(file.name)"\r\n\r\n\(file.content)\r\n--B0--\r\n
                        """))
        } else if words[0] == "POST" {
            request.headers.add(
                name: "content-type", value: "application/x-www-form-urlencoded")
            request.body = .bytes(ByteBuffer(string: CloudHarness.encode(fields)))
        }
        return request
    }
}
