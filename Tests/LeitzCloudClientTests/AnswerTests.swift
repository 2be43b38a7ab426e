import CloudStorage
import FoundationEssentials
import HTTPTransport
import LeitzCloudAPI
import LeitzCloudClient
import Testing

@Suite struct AnswerErrorsTests {
    private func answer(_ status: Int, _ body: String) -> HTTPAnswer {
        HTTPAnswer(status: status, headers: [("Retry-After", "3")], body: Data(body.utf8))
    }

    @Test(
        arguments: [
            (400, "invalid_request", .invalidRequest), (400, "invalid_name", .invalidName),
            (400, "name_too_long", .nameTooLong), (400, "invalid_extension", .invalidExtension),
            (401, "access_denied", .signInRequired), (403, "forbidden", .forbidden),
            (404, "not_found", .notFound), (409, "name_conflict", .nameConflict),
            (409, "resource_locked", .locked), (409, "policy_error", .policy),
            (410, "root_deleted", .rootDeleted), (500, "unknown", .temporarilyUnavailable),
            (503, "temporarily_unavailable", .temporarilyUnavailable),
        ] as [(Int, String, CloudStorageError.Kind)])
    func theWordDecides(status: Int, word: String, kind: CloudStorageError.Kind) {
        let error = AnswerErrors.error(
            for: answer(status, "{\"error\": \"\(word)\"}"), of: .other)
        #expect(error.kind == kind)
        #expect(error.retryAfter == 3)
    }

    @Test(
        arguments: [
            (401, .signInRequired), (403, .forbidden), (404, .notFound), (405, .unsupported),
            (410, .rootDeleted), (413, .tooLarge), (414, .nameTooLong), (416, .revisionChanged),
            (418, .invalidRequest), (423, .locked), (429, .temporarilyUnavailable),
            (502, .temporarilyUnavailable), (507, .quotaExceeded), (302, .invalidAnswer),
        ] as [(Int, CloudStorageError.Kind)])
    func theStatusDecidesWhereThereIsNoWord(status: Int, kind: CloudStorageError.Kind) {
        let error = AnswerErrors.error(for: answer(status, "<html>proxy</html>"), of: .other)
        #expect(error.kind == kind)
        #expect(error.message == "HTTP \(status)")
    }

    @Test func aBare409DependsOnTheCall() {
        #expect(AnswerErrors.error(for: answer(409, ""), of: .naming).kind == .nameConflict)
        #expect(AnswerErrors.error(for: answer(409, ""), of: .item).kind == .locked)
    }

    @Test func theDocumentsMisprintedSampleIsUnderstood() {
        let misprint = """
            {"error": "temporarily_unavailable",
             "error_description": "Service is temporarily unavailable.""}
            """
        #expect(
            AnswerErrors.error(for: answer(503, misprint), of: .item).kind
                == .temporarilyUnavailable)
        let locked = #"{"error": "resource_locked", oops}"#
        #expect(AnswerErrors.error(for: answer(409, locked), of: .naming).kind == .locked)
    }

    @Test func onlySomeAnswersLeaveDoubt() {
        #expect(AnswerErrors.error(for: answer(502, ""), of: .other).mayHaveHappened)
        #expect(!AnswerErrors.error(for: answer(503, ""), of: .other).mayHaveHappened)
        #expect(!AnswerErrors.error(for: answer(409, ""), of: .naming).mayHaveHappened)
    }

    @Test func messagesAreOneShortLine() {
        let body =
            "{\"error\": \"unknown\", \"error_description\": \"a\\nb\(String(repeating: "x", count: 999))\"}"
        let message = AnswerErrors.error(for: answer(500, body), of: .other).message
        #expect(message.count <= 300)
        #expect(!message.contains { $0.isNewline })
    }
}

@Suite struct AnswerBodyTests {
    @Test func halfSurrogatesDoNotSpoilAnAnswer() throws {
        let body = Data(#"["a\ud800b", "\udc00", "\ud83d\ude00", "\\ud800", "c\ud83d"]"#.utf8)
        let names = try AnswerBody.decode([String].self, from: body)
        #expect(names == ["a\u{FFFD}b", "\u{FFFD}", "😀", "\\ud800", "c\u{FFFD}"])
    }

    @Test func bytesThatAreNoUnicodeDoNotSpoilAnAnswer() throws {
        let body = Data(Array("[\"a".utf8) + [0xFF] + Array("b\"]".utf8))
        #expect(try AnswerBody.decode([String].self, from: body) == ["a\u{FFFD}b"])
    }

    @Test func anythingElseIsAnInvalidAnswer() {
        for text in ["", "[", "{}", "<html>", "[1]"] {
            do throws(CloudStorageError) {
                _ = try AnswerBody.decode(
                    [String].self, from: Data(text.utf8), mayHaveHappened: true)
                Issue.record("\(text) was taken")
            } catch {
                #expect(error.kind == .invalidAnswer)
                #expect(error.mayHaveHappened)
            }
        }
    }

    @Test func goodTextNeedsNoRepair() {
        #expect(AnswerBody.repaired(Data(#"["ü\u00fc\ud83d\ude00\\"]"#.utf8)) == nil)
    }
}

@Suite struct AccountAnswerTests {
    @Test func policyIsReadLeniently() {
        var wire = WirePolicy()
        wire.excludedExtensions = ".TMP, bak,,.o ,"
        wire.maxFileSize = LenientInteger(300)
        wire.userLockFiles = false
        let policy = AccountAnswer.policy(wire)
        #expect(policy.excludedExtensions == [".tmp", ".bak", ".o"])
        #expect(policy.maximumFileSize == 300 << 20)
        #expect(!policy.allowsLocks)
        #expect(AccountAnswer.policy(nil) == StoragePolicy())
        wire.maxFileSize = LenientInteger(0)
        #expect(AccountAnswer.policy(wire).maximumFileSize == nil)
        wire.maxFileSize = LenientInteger(.max)
        #expect(AccountAnswer.policy(wire).maximumFileSize ?? 0 > 0)
    }

    @Test func rootsHaveNamesOfTheirOwn() {
        var backup = WireRoot(id: 3, name: "a/b")
        backup.rootType = "backup"
        let account = AccountAnswer.describe(
            WirePerson(id: 1, email: "me@example.com"),
            roots: [WireRoot(id: 2, name: "Team"), WireRoot(id: 1, name: "Team"), backup])
        #expect(account.roots.map(\.name) == ["Team", "Team~2", "a\u{FF05}2Fb"])
        #expect(account.roots.map(\.permissions) == [.all, .all, .read])
        #expect(account.displayName == "me@example.com")
        #expect(account.quota == nil)
    }

    @Test func onlyOthersLocksOnRootsCount() {
        let me = WirePerson(id: 1, email: "Me@example.com")
        func isLocked(_ locks: [WireLock]?, _ isLocked: Bool?, own: Bool = false) -> Bool? {
            var root = WireRoot(id: 2, name: "Team")
            root.isLocked = isLocked
            root.locks = locks
            let key = ItemReference.Key(.top(of: RootIdentifier("2")))
            return AccountAnswer.describe(me, roots: [root], ownLocks: own ? [key] : []).roots
                .first?.isLocked
        }
        let mine = WireLock(personID: 1, email: nil, displayName: "Me", expires: nil)
        let mineByMail = WireLock(
            personID: nil, email: "me@example.com", displayName: nil, expires: nil)
        let other = WireLock(personID: 2, email: nil, displayName: "Bob", expires: nil)
        #expect(isLocked(nil, nil) == false)
        #expect(isLocked(nil, true) == true)
        #expect(isLocked(nil, true, own: true) == false)
        #expect(isLocked([mine], true) == false)
        #expect(isLocked([mineByMail], true) == false)
        #expect(isLocked([mine, other], true) == true)
    }
}

@Suite struct ChangeWindowTests {
    private func item(_ id: String, revision: String = "1", deleted: Bool = false) -> CloudItem {
        CloudItem(
            reference: ItemReference(
                root: RootIdentifier("1"), kind: .file, id: id, path: "/\(id)"),
            name: id, size: 0, revision: revision, modified: nil, isDeleted: deleted)
    }

    @Test func windowsOverlapAndCursorsRoundTrip() {
        let cursor = ChangeWindow.cursor(at: 1_000_000)
        #expect(ChangeWindow.start(after: cursor) == 1_000_000 - ChangeWindow.overlap)
        for text in ["", "t", "x5", "t9223372036854775807", "5"] {
            #expect(ChangeWindow.start(after: text) == nil)
        }
    }

    @Test func theSameChangeIsToldOnce() {
        var window = ChangeWindow()
        #expect(window.newItems([item("a"), item("b")]).count == 2)
        #expect(window.newItems([item("a"), item("b")]).isEmpty)
        #expect(window.newItems([item("a", revision: "2"), item("b")]).map(\.name) == ["a"])
        #expect(window.newItems([item("b", deleted: true)]).map(\.isDeleted) == [true])
        // It has left the window, and comes back: a new change.
        #expect(window.newItems([item("a", revision: "2")]).count == 1)
    }

    @Test func datesOfAnswersAreRead() {
        #expect(
            HTTPDate.isoText("Sun, 06 Nov 1994 08:49:37 GMT").flatMap(WireDate.parse)
                == 784_111_777)
        #expect(HTTPDate.isoText("Sunday, 06-Nov-94 08:49:37 GMT") == nil)
        #expect(HTTPDate.isoText("Sun, 06 Foo 1994 08:49:37 GMT") == nil)
    }
}
