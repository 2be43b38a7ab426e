import CloudStorage
import TestSupport
import Testing

@testable import WebDAVClient

@Suite struct NameTests {
    @Test func hrefsAreReadHoweverTheyAreWritten() {
        let wanted = [Array("dav".utf8), Array("é ü.txt".utf8)]
        for text in [
            "/dav/%C3%A9%20%C3%BC.txt", "/dav/%c3%a9%20%c3%bc.txt", "/dav/é ü.txt",
            "/dav//%C3%A9 ü.txt", "http://other.example.com:8080/dav/%C3%A9%20%C3%BC.txt",
            "HTTPS://u@[::1]/dav/é%20ü.txt", "/%64av/é%20ü.txt",
        ] {
            #expect(DAVHref(text).parts == wanted)
            #expect(!DAVHref(text).endsWithSlash)
        }
        #expect(DAVHref("/dav/").endsWithSlash)
        #expect(DAVHref("http://host").parts.isEmpty)
        #expect(DAVHref("/100%/%zz/%2").parts == ["100%", "%zz", "%2"].map { Array($0.utf8) })
        #expect(DAVHref("/a%2Fb/a:b//c").parts == ["a/b", "a:b", "c"].map { Array($0.utf8) })
        #expect(DAVHref("/a+b").parts == [Array("a+b".utf8)])
    }

    @Test func namesThatLinuxCannotHoldAreShownReversibly() {
        let shown: [([UInt8], String)] = [
            (Array("plain".utf8), "plain"),
            ([0x63, 0xE9], "c\u{FF05}E9"),
            (Array("a/b".utf8), "a\u{FF05}2Fb"),
            ([0x61, 0], "a\u{FF05}00"),
            (Array("\u{FF05}41".utf8), "\u{FF05}41"),
            (Array("\u{FF05}2F".utf8), "\u{FF05}252F"),
            ([0xC3, 0x28], "\u{FF05}C3("),
            ([0xED, 0xA0, 0x80], "\u{FF05}ED\u{FF05}A0\u{FF05}80"),
        ]
        for (bytes, name) in shown {
            #expect(ShownName.shown(bytes) == name)
            #expect(ShownName.serverBytes(name) == bytes)
        }
        for bytes in ["", ".", ".."] { #expect(ShownName.shown(Array(bytes.utf8)) == nil) }
        #expect(ShownName.shown(Array("...".utf8)) == "...")
    }

    @Test func everyNameHasItsWayBack() {
        var random = SeededRandom(seed: 7)
        let pieces: [[UInt8]] = [
            Array("\u{FF05}".utf8), Array("25".utf8), Array("2F".utf8), [0xE9], [0xEF], [0xBC],
            [0], [0x2F], Array("é".utf8), Array("🎉".utf8), Array("x".utf8), Array("00".utf8),
        ]
        var seen: [String: [UInt8]] = [:]
        for _ in 0..<20_000 {
            var bytes: [UInt8] = []
            for _ in 0...random.next() % 5 {
                bytes += pieces[Int(random.next() % UInt64(pieces.count))]
            }
            guard let name = ShownName.shown(bytes) else { continue }
            #expect(ShownName.serverBytes(name) == bytes)
            #expect(seen[name, default: bytes] == bytes)
            #expect(!name.utf8.contains(0) && !name.utf8.contains(UInt8(ascii: "/")))
            seen[name] = bytes
        }
    }

    @Test func longNamesAreCutAndStayDifferent() {
        let one = String(repeating: "日", count: 200) + "1"
        let other = String(repeating: "日", count: 200) + "2"
        #expect(ShownName.shortened(one).utf8.count <= 255)
        #expect(ShownName.shortened(one) != ShownName.shortened(other))
        #expect(ShownName.shortened("short") == "short")
    }

    @Test func referencesThatLeadElsewhereAreRefused() {
        for path in ["", "x", "a/b", "//", "/a//b", "/a/", "/.", "/a/../b", "/a\0b"] {
            let reference = ItemReference(
                root: WebDAVClient.root, kind: .file, id: nil, path: path)
            #expect(
                kind { () throws(CloudStorageError) in try RemotePath(reference) }
                    == .invalidRequest)
        }
        let foreign = ItemReference(
            root: RootIdentifier("other"), kind: .file, id: nil, path: "/a")
        #expect(kind { () throws(CloudStorageError) in try RemotePath(foreign) } == .notFound)
        let root = ItemReference(root: WebDAVClient.root, kind: .file, id: nil, path: "/")
        #expect(kind { () throws(CloudStorageError) in try RemotePath(root) } == .invalidRequest)
    }

    @Test func pathsAreEscapedWhole() throws {
        let path = try RemotePath("/a b/100%?#&;é\u{FF05}E9")
        #expect(path.escaped(isFolder: false) == "/a%20b/100%25%3F%23%26%3B%C3%A9%E9")
        #expect(path.escaped(isFolder: true).hasSuffix("/"))
        #expect(path.text == "/a b/100%?#&;é\u{FF05}E9")
        #expect(try RemotePath("/").escaped(isFolder: true) == "/")
    }

    @Test func whatTheServerRefusesIsNotSent() throws {
        var profile = WebDAVProfile.known(.nextcloud, rootName: "Files")
        let data = try Sample.bytes("nextcloud/misc_capabilities.json")
        profile.nameRules = try OCSAnswer.decode(CloudCapabilities.self, from: .init(data))
            .nameRules
        for (name, wanted) in [
            (".htaccess", CloudStorageError.Kind.invalidName), (".HTACCESS", .invalidName),
            ("a\\b", .invalidName), ("x.part", .invalidExtension),
            ("X.FilePart", .invalidExtension), ("", .invalidName), ("..", .invalidName),
            ("a/b", .invalidName), ("a\nb", .invalidName),
            (String(repeating: "ü", count: 128), .nameTooLong),
        ] {
            #expect(
                kind { () throws(CloudStorageError) in try NewName.checked(name, profile) }
                    == wanted)
        }
        #expect(try NewName.checked("e\u{301}", profile) == Array("\u{E9}".utf8))
        let generic = WebDAVProfile.known(.generic, rootName: "x")
        #expect(try NewName.checked("e\u{301}", generic) == Array("e\u{301}".utf8))
    }
}
