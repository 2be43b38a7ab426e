import CloudStorage
import FoundationEssentials
import HTTPTransport
import Testing

@testable import WebDAVClient

@Suite struct ValueTests {
    @Test func entityTagsAreReadHoweverTheyAreWritten() {
        for (text, opaque, isWeak) in [
            ("\"abc\"", "abc", false), ("W/\"abc\"", "abc", true), ("abc", "abc", false),
            ("\"abc-gzip\"", "abc", false), ("\"abc", "abc", false), ("w/abc", "abc", true),
        ] {
            #expect(EntityTag(text)?.opaque == opaque)
            #expect(EntityTag(text)?.isWeak == isWeak)
        }
        let refused = [
            "", "\"\"", "W/\"\"", "\"a b\"", "\"a\r\nX: y\"", "\"a\"b\"", "é",
            String(repeating: "x", count: 201),
        ]
        for text in refused { #expect(EntityTag(text) == nil) }
        #expect(EntityTag("abc")?.headerValue == "\"abc\"")
    }

    @Test func datesAreReadInEveryForm() {
        for text in [
            "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994", "1994-11-06T08:49:37Z", "1994-11-06T08:49:37.123Z",
        ] {
            #expect(HTTPDate.seconds(text) == 784_111_777)
        }
        #expect(HTTPDate.seconds("Thu, 01 Jan 1970 00:00:00 GMT") == 0)
        #expect(HTTPDate.seconds("Tue, 29 Feb 2000 12:00:00 GMT") == 951_825_600)
        #expect(HTTPDate.seconds("Fri, 31 Dec 1999 23:59:59 GMT") == 946_684_799)
        for text in [
            "", "soon", "Sun, 06 Nov 1994", "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994 25:49:37 GMT", "1994-11-06",
            "Sun, 06 Nov 99999999999999999999 08:49:37 GMT",
        ] {
            #expect(HTTPDate.seconds(text) == nil)
        }
    }

    @Test func revisionsComeBack() {
        let full = ContentRevision(etag: EntityTag("W/\"a-b\""), size: 12, modified: -3)
        #expect(full.text(byETagAlone: false) == "12 -3 a-b")
        #expect(full.text(byETagAlone: true) == "\"a-b\"")
        #expect(ContentRevision("12 -3 a-b")?.etag == EntityTag("a-b"))
        #expect(ContentRevision("12 -3 a-b")?.modified == -3)
        #expect(ContentRevision("\"a-b\"")?.size == nil)
        let bare = ContentRevision(etag: nil, size: 1, modified: nil)
        #expect(bare.text(byETagAlone: true) == "1  ")
        #expect(ContentRevision("1  ") == bare)
        for text in ["", "x", "\"", "\"\"", "1 x e", "not a revision"] {
            #expect(ContentRevision(text) == nil)
        }
    }

    @Test func cookiesAreKeptForTheirPathAndDroppedWhenOver() {
        var jar = CookieJar(isSecure: true)
        jar.take([
            ("Set-Cookie", "oc_session=abc; Path=/; HttpOnly; Secure; SameSite=Lax"),
            ("set-cookie", "sub=1; path=/cloud"), ("Set-Cookie", "=x"), ("Set-Cookie", "novalue"),
            ("Set-Cookie", "bad=a\u{1}b"), ("Other", "no=1"),
        ])
        #expect(jar.header(path: "/cloud/remote.php") == "oc_session=abc; sub=1")
        #expect(jar.header(path: "/cloudy") == "oc_session=abc")
        jar.take([("Set-Cookie", "oc_session=def; Path=/")])
        #expect(jar.header(path: "/") == "oc_session=def")
        jar.take([("Set-Cookie", "oc_session=; Max-Age=0; Path=/")])
        #expect(jar.header(path: "/") == nil)
        var plain = CookieJar(isSecure: false)
        plain.take([("Set-Cookie", "a=1; Secure")])
        #expect(plain.header(path: "/") == nil)
        for index in 0..<1_000 { plain.take([("Set-Cookie", "c\(index)=1; Path=/")]) }
        plain.take([("Set-Cookie", "long=" + String(repeating: "x", count: 5_000))])
        #expect(
            plain.header(path: "/")?.split(separator: ";").count == CookieJar.maximumCookies)
    }

    @Test func tokensAreSentForWhatALockCovers() throws {
        var table = LockTable()
        let file = LockTable.Lock(token: "t:file", isFolder: false)
        let folder = LockTable.Lock(token: "t:folder", isFolder: true)
        table.add(file, to: try RemotePath("/a/f"))
        table.add(folder, to: try RemotePath("/b"))
        let concerned = { (path: String) in
            table.concerned(by: [try RemotePath(path)]).map(\.lock.token)
        }
        #expect(try concerned("/a/f") == ["t:file"])
        #expect(try concerned("/a") == ["t:file"])
        #expect(try concerned("/a/g").isEmpty)
        #expect(try concerned("/b/x/y") == ["t:folder"])
        #expect(try concerned("/bb").isEmpty)
        table.removeAll(below: try RemotePath("/a"))
        #expect(table.tokens == ["t:folder"])
    }

    @Test(arguments: [
        (507, "nextcloud/dav_quota_full.xml", CloudStorageError.Kind.quotaExceeded),
        (507, "owncloud/dav_quota_full.xml", .quotaExceeded),
        (400, "nextcloud/dav_put_badname_backslash.xml", .invalidName),
        (400, "nextcloud/dav_put_name_256.xml", .nameTooLong),
        (400, "nextcloud/dav_put_name_part.xml", .invalidExtension),
        (500, "nextcloud/dav_put_badname_htaccess.xml", .forbidden),
        (403, "owncloud/dav_put_badname_htaccess.xml", .forbidden),
        (404, "nextcloud/dav_missing.xml", .notFound),
        (409, "owncloud/dav_put_parent_missing.xml", .notFound),
        (412, "nextcloud/dav_put_if_match_stale.xml", .revisionChanged),
        (401, "nextcloud/dav_badauth.xml", .signInRequired),
        (423, "nextcloud/dav2_lock_again.xml", .locked),
        (423, "nextcloud/dav3_put_while_other_put.xml", .locked),
        (400, "owncloud/dav_put_checksum_bad.xml", .temporarilyUnavailable),
    ])
    func recordedRefusalsHaveTheirReason(
        status: Int, name: String, kind: CloudStorageError.Kind
    ) throws {
        let error = WebDAVErrors.error(for: try Sample.answer(status, name))
        #expect(error.kind == kind)
        #expect(!error.message.contains("\n"))
    }

    @Test func onlyTheServersOwnLocksAreTransient() throws {
        let busy = try Sample.answer(423, "nextcloud/dav3_put_while_other_put.xml")
        let held = try Sample.answer(423, "nextcloud/dav2_lock_again.xml")
        #expect(WebDAVErrors.isTransientLock(busy))
        #expect(!WebDAVErrors.isTransientLock(held))
    }

    @Test func aPageThatIsNoXMLIsAnErrorByItsStatus() {
        for body in ["", "<html><body>Bad gateway</body>", "\u{0}\u{1}", "{}"] {
            let answer = HTTPAnswer(status: 502, headers: [], body: Data(body.utf8))
            #expect(WebDAVErrors.error(for: answer).kind == .temporarilyUnavailable)
            #expect(WebDAVErrors.error(for: answer).mayHaveHappened)
        }
    }

    @Test func fileIDsOfHeadersAreReadOnlyWhereTheyAreClear() throws {
        let headers = try Sample.headers("nextcloud/dav_put_new.http.txt")
        let id = headers.first { $0.0 == "OC-FileId" }?.1
        #expect(WebDAVClient.fileID(id) == "386")
        for text in [nil, "", "386", "00000386", "oc1", "x00000386oc"] {
            #expect(WebDAVClient.fileID(text) == nil)
        }
    }

    @Test func aDownloadOfAnotherRevisionIsNoticed() throws {
        let head = AnswerHead(
            status: 206,
            headers: [
                ("etag", "\"a\""), ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT"),
                ("Content-Range", "bytes 0-4/14"),
            ])
        func check(_ revision: ContentRevision) -> CloudStorageError.Kind? {
            kind { () throws(CloudStorageError) in try WebDAVClient.check(head, against: revision) }
        }
        let etag = EntityTag("a")
        #expect(check(ContentRevision(etag: etag, size: 14, modified: 784_111_777)) == nil)
        #expect(check(ContentRevision(etag: nil, size: nil, modified: nil)) == nil)
        for other in [
            ContentRevision(etag: EntityTag("b"), size: 14, modified: 784_111_777),
            ContentRevision(etag: etag, size: 15, modified: 784_111_777),
            ContentRevision(etag: nil, size: 14, modified: 784_111_778),
        ] {
            #expect(check(other) == .revisionChanged)
        }
    }

    @Test func capabilitiesSayWhatKindOfServerItIs() throws {
        let features = { (name: String) -> Set<String> in
            let dav = try Sample.headers(name).first { $0.0 == "DAV" }?.1 ?? ""
            return Set(dav.split(separator: ",").map { String($0.drop { $0 == " " }) })
        }
        let nextcloud = try OCSAnswer.decode(
            CloudCapabilities.self,
            from: Data(try Sample.bytes("nextcloud/misc_capabilities.json")))
        let owncloud = try OCSAnswer.decode(
            CloudCapabilities.self, from: Data(try Sample.bytes("owncloud/misc_capabilities.json")))
        let options = try features("nextcloud/dav_options.http.txt")
        #expect(nextcloud.kind("A Brand", options) == .nextcloud)
        #expect(nextcloud.kind("Nextcloud", ["1", "2"]) == .nextcloud)
        #expect(
            owncloud.kind("A Brand", try features("owncloud/dav_options.http.txt")) == .owncloud)
        #expect(options.contains("2"))
        #expect(try !features("nextcloud/dav4_nolockapp_options.http.txt").contains("2"))
        #expect(nextcloud.hasAppLocks && !owncloud.hasAppLocks)
        #expect(nextcloud.nameRules.names == [".htaccess"])
        #expect(nextcloud.nameRules.characters == ["\\", "/"])
        #expect(nextcloud.nameRules.extensions == [".part", ".filepart"])
        #expect(owncloud.nameRules.names == [".htaccess"])
        #expect(owncloud.nameRules.extensions == [".part", ".filepart"])
    }

    @Test func anOCSRefusalIsNoValue() {
        for (code, wanted) in [
            (997, CloudStorageError.Kind.signInRequired), (998, .unsupported),
            (999, .invalidAnswer),
        ] {
            let text = #"{"ocs":{"meta":{"status":"failure","statuscode":\#(code)},"data":[]}}"#
            #expect(
                kind { () throws(CloudStorageError) in
                    try OCSAnswer.decode(CloudUser.self, from: Data(text.utf8))
                } == wanted)
        }
        #expect(
            kind { () throws(CloudStorageError) in
                try OCSAnswer.decode(CloudUser.self, from: Data("<html>".utf8))
            } == .invalidAnswer)
    }
}
