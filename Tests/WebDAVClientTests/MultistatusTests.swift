import CloudStorage
import HTTPTransport
import Testing

@testable import WebDAVClient

@Suite struct MultistatusTests {
    @Test(arguments: [1, 2, 3, 7, 64, 1_000])
    func piecesMakeNoDifference(size: Int) throws {
        for name in [
            "nextcloud/dav_root_depth1.xml", "owncloud/dav_root_depth1.xml",
            "nextcloud/dav2_lock_props.xml", "nextcloud/dav_other_user.xml",
        ] {
            let body = try Sample.bytes(name)
            #expect(try entries(body, pieces: size) == entries(body))
        }
    }

    @Test func aNextcloudListingIsRead() throws {
        let list = try entries(try Sample.bytes("nextcloud/dav_root_depth1.xml"))
        #expect(list.count == 11)
        let top = try #require(list.first)
        #expect(top.isFolder)
        #expect(top.href.parts == ["remote.php", "dav", "files", "alice"].map { Array($0.utf8) })
        #expect(top.quotaAvailable == 52_428_800)
        #expect(top.quotaUsed == 0)
        #expect(top.permissions == "RGDNVCK")
        let file = list[1]
        #expect(!file.isFolder)
        #expect(file.size == 14)
        #expect(file.fileID == "386")
        #expect(file.etag?.opaque == "ef32b9cf39787c06001050f10faf65de")
        #expect(file.etag?.isWeak == false)
        #expect(file.modified == 1_600_000_000)
        #expect(file.appLock == nil)
        #expect(list[8].href.parts.last == Array("café €#%.txt".utf8))
        #expect(list.allSatisfy { !$0.hasBadDate && !$0.hasBadSize && $0.status == nil })
    }

    @Test func anOwnCloudListingIsRead() throws {
        let list = try entries(try Sample.bytes("owncloud/dav_root_depth1.xml"))
        #expect(list.count == 9)
        #expect(list[0].quotaAvailable == -3)
        #expect(list[1].href.parts.last == Array("a*:b".utf8))
        #expect(list[1].fileID == "24")
        #expect(list[1].permissions == "RDNVW")
    }

    @Test func locksAreRead() throws {
        for name in ["nextcloud", "owncloud"] {
            let list = try entries(try Sample.bytes("\(name)/dav2_lock_props.xml"))
            let lock = try #require(list.first?.locks.first)
            #expect(lock.token?.hasPrefix("opaquelocktoken:") == true)
            #expect(lock.owner == "client")
            #expect(lock.timeout == "Second-300")
            #expect((list[0].appLock?.type == 2) == (name == "nextcloud"))
        }
        let answer = try Sample.answer(200, "owncloud/dav2_lock.xml")
        #expect(
            WebDAVClient.token(of: answer)
                == "opaquelocktoken:118730f0-9c0b-42a8-baf7-4fc8ea593fc1")
    }

    @Test func propertiesCountOnlyWithASuccessStatus() throws {
        let text = """
            <multistatus xmlns="DAV:"><response><href>/a</href>
              <propstat><prop><getetag>"bad"</getetag><getcontentlength>7</getcontentlength></prop>
                <status>HTTP/1.1 404 Not Found</status></propstat>
              <propstat><prop><getetag> W/"good" </getetag></prop><status>HTTP/1.1 200</status>
              </propstat></response>
            <response><href>/b</href><status>HTTP/1.1 403 Forbidden</status></response>
            </multistatus>
            """
        let list = try entries(Array(text.utf8), pieces: 1)
        #expect(list.count == 2)
        #expect(list[0].etag == EntityTag("W/\"good\""))
        #expect(list[0].size == nil)
        #expect(list[1].status == 403)
    }

    @Test func anyNamespacePrefixAndAnyEncodingIsRead() throws {
        let plain =
            #"<x:multistatus xmlns:x="DAV:"><x:response><x:href>/é</x:href>"#
            + "<x:propstat><x:prop><x:getcontentlength><![CDATA[12]]></x:getcontentlength>"
            + "</x:prop></x:propstat></x:response></x:multistatus>"
        let utf16 = Array(plain.utf16).flatMap { [UInt8($0 >> 8), UInt8($0 & 255)] }
        let latin = (#"<?xml version="1.0" encoding="ISO-8859-1"?>"# + plain).unicodeScalars
            .map { UInt8($0.value) }
        for body in [Array(plain.utf8), [0xFE, 0xFF] + utf16, latin] {
            for size in [1, 5, .max] {
                let list = try entries(body, pieces: size)
                #expect(list.first?.href.parts == [Array("é".utf8)])
                #expect(list.first?.size == 12)
            }
        }
        let foreign =
            #"<multistatus xmlns="urn:x"><response><href>/a</href></response></multistatus>"#
        #expect(
            kind { () throws(CloudStorageError) in try entries(Array(foreign.utf8)) }
                == .invalidAnswer)
    }

    private static let hostile: [String] = [
        "", "no XML at all", "<", "<multistatus xmlns=\"DAV:\">",
        #"<!DOCTYPE m [<!ENTITY a "b">]><D:multistatus xmlns:D="DAV:"></D:multistatus>"#,
        #"<!DOCTYPE m SYSTEM "http://127.0.0.1:9/x.dtd"><D:multistatus xmlns:D="DAV:"/>"#,
        #"<!DOCTYPE m [<!ENTITY f SYSTEM "file:///etc/passwd">]><m>&f;</m>"#,
        """
        <!DOCTYPE l [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">\
        <!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]><l>&c;</l>
        """,
        document("<D:getetag>&unknown;</D:getetag>"),
        String(repeating: "<a>", count: 100_000),
        document(href: String(repeating: "x", count: 70_000)),
        document("<D:getetag>\u{0}</D:getetag>"),
        document("<D:getetag>a</D:getetag>") + "<more/>",
    ]

    @Test(arguments: hostile.indices)
    func hostileDocumentsAreRefused(index: Int) {
        let body = Array(Self.hostile[index].utf8)
        for size in [1, 13, Int.max] where body.count < 1_000 || size > 1 {
            #expect(
                kind { () throws(CloudStorageError) in try entries(body, pieces: size) }
                    == .invalidAnswer)
        }
    }

    @Test func aLargeFolderStreams() throws {
        let sink = MultistatusSink()
        #expect(sink.begin(AnswerHead(status: 207, headers: [])))
        func send(_ text: String) throws {
            var text = text
            try text.withUTF8 { bytes throws in
                try sink.receive(UnsafeRawBufferPointer(bytes))
            }
        }
        try send(#"<?xml version="1.0"?><D:multistatus xmlns:D="DAV:">"#)
        let padding = String(repeating: " ", count: 1_000)
        for index in 0..<20_000 {
            try send(
                "<D:response><D:href>/dav/f\(index)</D:href><D:propstat><D:prop>"
                    + "<D:getcontentlength>\(index)</D:getcontentlength></D:prop>\(padding)"
                    + "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>")
        }
        try send("</D:multistatus>")
        try sink.finish()
        let list = sink.takeEntries()
        #expect(list.count == 20_000)
        #expect(list.last?.size == 19_999)
    }

    @Test func aSecondAttemptStartsAnew() throws {
        let sink = MultistatusSink()
        let body = Array(document().utf8)
        #expect(sink.begin(AnswerHead(status: 207, headers: [])))
        try body.prefix(40).withUnsafeBytes { try sink.receive($0) }
        #expect(sink.begin(AnswerHead(status: 207, headers: [])))
        try body.withUnsafeBytes { try sink.receive($0) }
        try sink.finish()
        #expect(sink.takeEntries().count == 1)
        #expect(!sink.begin(AnswerHead(status: 404, headers: [])))
    }
}
