import CloudStorage
import FileSystemTypes
import Testing

@testable import WebDAVClient

@Suite struct ItemChecksTests {
    private let base = ["remote.php", "dav", "files", "alice"].map { Array($0.utf8) }
    private let top = ItemReference.top(of: WebDAVClient.root)

    private func checks(
        _ kind: WebDAVProfile.Kind = .nextcloud, base: [[UInt8]]? = nil
    ) -> ItemChecks {
        ItemChecks(
            profile: .known(kind, rootName: "Files", userID: "alice"), base: base ?? self.base)
    }

    @Test func aRecordedListingBecomesItems() throws {
        let list = try entries(try Sample.bytes("nextcloud/dav_root_depth1.xml"))
        var checks = checks()
        let listing = try checks.listing(list, of: top)
        #expect(checks.findings.isEmpty)
        #expect(listing.items.count == 10)
        let items = Dictionary(uniqueKeysWithValues: listing.items.map { ($0.name, $0) })
        let hello = try #require(items["hello.txt"])
        #expect(hello.reference.path == "/hello.txt")
        #expect(hello.reference.id == "386")
        #expect(hello.revision == "\"ef32b9cf39787c06001050f10faf65de\"")
        #expect(hello.modified == FileTime(seconds: 1_600_000_000))
        #expect(hello.permissions == .all)
        #expect(items["dir1"]?.reference.kind == .folder)
        #expect(items["dir1"]?.revision == nil)
        #expect(items["trail "] != nil)
        #expect(items["café €#%.txt"]?.reference.path == "/café €#%.txt")
        #expect(listing.folder?.etag?.opaque == "6b022eb72ea1d")
    }

    @Test func anOwnCloudRevisionCountsSizeAndTimeToo() throws {
        let list = try entries(try Sample.bytes("owncloud/dav_root_depth1.xml"))
        var checks = checks(.owncloud)
        let items = try checks.listing(list, of: top).items
        let file = try #require(items.first { $0.name == "a*:b" })
        #expect(file.revision == "3 1795305435 74f36bda501be263e1d421612ef2e5f8")
        #expect(file.permissions == .all)
    }

    private func response(_ href: String, _ properties: String = "") -> String {
        "<D:response><D:href>\(href)</D:href><D:propstat><D:prop>\(properties)</D:prop>"
            + "<D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response>"
    }

    private let folder = "<D:resourcetype><D:collection/></D:resourcetype>"

    private func listing(_ responses: [String]) throws -> [ServerEntry] {
        let text = #"<D:multistatus xmlns:D="DAV:" xmlns:oc="http://owncloud.org/ns">"#
        return try entries(Array((text + responses.joined() + "</D:multistatus>").utf8))
    }

    @Test func hostileEntriesAreMendedOrLeftOut() throws {
        let path = "/remote.php/dav/files/alice"
        let file = "<D:resourcetype/>"
        let list = try listing([
            response(path + "/", folder),
            response(path + "/a%2Fb", file),
            response(path + "/..", file), response(path + "/%2e%2e", file),
            response(path + "/deep/er", file), response("/elsewhere/x", file),
            response("/remote.php/dav/files/alice2/x", file),
            response(path + "/size", file + "<D:getcontentlength>-5</D:getcontentlength>"),
            response(path + "/size2", file + "<D:getcontentlength>1e9</D:getcontentlength>"),
            response(path + "/date", file + "<D:getlastmodified>soon</D:getlastmodified>"),
            response(
                path + "/date2",
                file + "<D:getlastmodified>Sat, 21 Nov 9999 00:00:00 GMT</D:getlastmodified>"),
            response(path + "/twice", file), response(path + "/twic%65", file),
            response(path + "/nul%00", file), response(path + "/bad%E9", file),
            response(path + "/" + String(repeating: "%C3%BC", count: 300), file),
            response(path + "/id", file + "<oc:fileid>1/../2</oc:fileid>"),
        ])
        var checks = checks()
        let items = try checks.listing(list, of: top).items
        #expect(
            Set(items.map(\.name)).isSuperset(of: [
                "a\u{FF05}2Fb", "size", "size2", "date", "date2", "twice", "nul\u{FF05}00",
                "bad\u{FF05}E9", "id",
            ]))
        #expect(items.count == 10)
        #expect(items.allSatisfy { $0.size >= 0 && $0.modified == nil && $0.reference.id == nil })
        #expect(items.allSatisfy { $0.name.utf8.count <= 255 })
        let counts = Dictionary(grouping: checks.findings) { $0 }.mapValues(\.count)
        #expect(counts[.unusableName] == 2)
        #expect(counts[.notInFolder] == 3)
        #expect(counts[.badSize] == 2)
        #expect(counts[.absurdDate] == 2)
        #expect(counts[.repeatedEntry] == 1)
        #expect(counts[.longName] == 1)
    }

    @Test func namesThatDifferInNormalisationAreTwo() throws {
        let path = "/remote.php/dav/files/alice"
        let list = try listing([
            response(path + "/", folder), response(path + "/%C3%A9", ""),
            response(path + "/e%CC%81", ""),
        ])
        var checks = checks()
        #expect(try checks.listing(list, of: top).items.count == 2)
    }

    @Test func aProxyMayShowAnotherPrefix() throws {
        let list = try listing([
            response("http://inner:8080/store/alice/sub/", folder),
            response("http://inner:8080/store/alice/sub/a", ""),
        ])
        let sub = ItemReference(root: WebDAVClient.root, kind: .folder, id: nil, path: "/sub")
        var checks = checks(.generic)
        let items = try checks.listing(list, of: sub).items
        #expect(items.map(\.reference.path) == ["/sub/a"])
        let other = ItemReference(root: WebDAVClient.root, kind: .folder, id: nil, path: "/other")
        #expect(
            kind { () throws(CloudStorageError) in try checks.listing(list, of: other) }
                == .invalidAnswer)
    }

    @Test func anEntryOutOfReachIsNotTakenForDeleted() throws {
        let path = "/remote.php/dav/files/alice"
        let entry = { (status: Int) in
            "<D:response><D:href>\(path)/x</D:href><D:status>HTTP/1.1 \(status) x</D:status>"
                + "</D:response>"
        }
        for (status, count) in [(404, 0), (403, 1), (423, 1)] {
            let list = try listing([response(path + "/", folder), entry(status)])
            var checks = checks()
            let items = try checks.listing(list, of: top).items
            #expect(items.count == count)
            #expect(items.allSatisfy { $0.permissions == [] })
        }
        for body in [[response(path + "/", folder), entry(503)], []] {
            let list = try listing(body)
            var checks = checks()
            #expect(
                kind { () throws(CloudStorageError) in try checks.listing(list, of: top) }
                    != nil)
        }
    }

    @Test func aFileIsNoFolder() throws {
        let list = try listing([response("/remote.php/dav/files/alice/x", "<D:resourcetype/>")])
        let folder = ItemReference(root: WebDAVClient.root, kind: .folder, id: nil, path: "/x")
        var checks = checks()
        #expect(
            kind { () throws(CloudStorageError) in try checks.listing(list, of: folder) }
                == .notFound)
    }

    @Test func locksOfOthersAreShownAndOwnOnesAreNot() throws {
        let base = self.base
        for (name, profile) in [
            ("nextcloud", WebDAVProfile.Kind.nextcloud), ("owncloud", .owncloud),
        ] {
            let list = try entries(try Sample.bytes("\(name)/dav2_lock_props.xml"))
            var checks = checks(profile)
            let path = try RemotePath("/lockme.txt")
            #expect(try checks.single(list, at: path).item.isLocked)
            #expect(try checks.single(list, at: path).item.lockHolder == "client")
            checks.ownTokens = Set(list[0].locks.compactMap(\.token))
            #expect(try !checks.single(list, at: path).item.isLocked)
            var named = ItemChecks(
                profile: .known(profile, rootName: "Files", userID: "alice"), base: base)
            named.ownLockOwner = "client"
            #expect(try !named.single(list, at: path).item.isLocked)
        }
        let unlocked = try entries(try Sample.bytes("nextcloud/dav4_nolockapp_props.xml"))
        var checks = checks()
        #expect(try !checks.single(unlocked, at: try RemotePath("/om")).item.isLocked)
    }

    @Test func readOnlyEntriesAreSeenAsSuch() throws {
        let letters = { (text: String) in
            "<oc:permissions>\(text)</oc:permissions>"
        }
        let path = "/remote.php/dav/files/alice"
        let list = try listing([
            response(path + "/", folder + letters("RGDNVCK")),
            response(path + "/read", letters("SG")), response(path + "/both", letters("SGW")),
            response(path + "/none", letters("S")), response(path + "/in/", folder + letters("G")),
            response(path + "/add/", folder + letters("GCK")),
        ])
        var checks = checks()
        let items = try checks.listing(list, of: top).items
        #expect(items.map(\.permissions) == [.read, .all, [], .read, .all])
    }

    @Test func negativeQuotasAreNone() throws {
        #expect(WebDAVClient.quota(available: 5, used: 3) == StorageQuota(total: 8, used: 3))
        #expect(WebDAVClient.quota(available: 0, used: 3) == StorageQuota(total: 3, used: 3))
        for available in [-1, -2, -3, Int64.min] {
            #expect(WebDAVClient.quota(available: available, used: 3) == nil)
        }
        #expect(WebDAVClient.quota(available: .max, used: 3) == nil)
        #expect(WebDAVClient.quota(available: nil, used: 3) == nil)
        let samples = try ["nextcloud", "owncloud"].map {
            try #require(entries(try Sample.bytes("\($0)/dav_quota_used.xml")).first)
        }
        #expect(
            WebDAVClient.quota(available: samples[0].quotaAvailable, used: samples[0].quotaUsed)
                == StorageQuota(total: 52_428_800, used: 20_972_594))
        #expect(
            WebDAVClient.quota(available: samples[1].quotaAvailable, used: samples[1].quotaUsed)
                == nil)
    }
}
