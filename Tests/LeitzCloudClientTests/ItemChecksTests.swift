import CloudStorage
import FileSystemTypes
import LeitzCloudAPI
import LeitzCloudClient
import Testing

@Suite struct ItemChecksTests {
    private let root = RootIdentifier("1")

    private func checks(person: Int64? = 10, emails: Set<String> = ["me@example.com"])
        -> ItemChecks
    {
        var identity = ItemChecks.Identity()
        identity.personID = person
        identity.emails = emails
        return ItemChecks(root: root, identity: identity)
    }

    private func file(_ id: Int64, _ path: String) -> WireItem {
        var item = WireItem(type: .file, id: id, rootID: 1, path: path)
        item.size = 3
        item.revisionID = id * 10
        item.modified = "2015-01-01T01:02:03"
        return item
    }

    @Test func aGoodEntryIsTakenAsItIs() {
        var checks = checks()
        let items = checks.entries([file(5, "/a.txt")], in: .top(of: root))
        #expect(items.map(\.name) == ["a.txt"])
        #expect(items.first?.revision == "50")
        #expect(items.first?.modified?.seconds == 1_420_074_123)
        #expect(items.first?.permissions == .all)
        #expect(checks.findings.isEmpty)
    }

    @Test func deletedEntriesAreNotShown() {
        var gone = file(5, "/a.txt")
        gone.isDeleted = true
        var checks = checks()
        #expect(
            checks.entries([gone, file(6, "/a.txt")], in: .top(of: root)).map(\.name) == ["a.txt"])
    }

    @Test func hostileNamesAreShownAsNames() {
        let names = ["..", ".", "", "a/b", "../../etc/passwd", "x\0y"]
        let wire = names.enumerated().map { index, name in
            var item = file(Int64(index + 1), "/x\(index)")
            item.name = name
            return item
        }
        var checks = checks()
        let items = checks.entries(wire, in: .top(of: root))
        #expect(items.count == names.count)
        #expect(Set(items.map(\.name)).count == names.count)
        for item in items {
            #expect(!item.name.isEmpty && item.name != "." && item.name != "..")
            #expect(!item.name.utf8.contains(0) && !item.name.utf8.contains(UInt8(ascii: "/")))
        }
        #expect(items.map { NameMapping.serverName(ofShown: $0.name) } == names)
    }

    @Test func equalNamesAreToldApartByIdInAnyOrder() {
        let wire = [file(9, "/a.txt"), file(4, "/a.txt"), file(6, "/a~9.txt")]
        for order in [wire, wire.reversed()] {
            var checks = checks()
            let items = checks.entries(order, in: .top(of: root))
            let names = Dictionary(uniqueKeysWithValues: items.map { ($0.reference.id, $0.name) })
            #expect(names["4"] == "a.txt")
            #expect(names["6"] == "a~9.txt")
            #expect(names["9"] == "a~9~9.txt")
        }
    }

    @Test func namesThatDifferInNormalisationAreTwoNames() {
        var checks = checks()
        let items = checks.entries(
            [file(1, "/\u{E9}"), file(2, "/e\u{301}")], in: .top(of: root))
        #expect(items.map { $0.name.utf8.count } == [2, 3])
    }

    @Test func pathsOutsideTheFolderAreMended() {
        var checks = checks()
        let folder = ItemReference(root: root, kind: .folder, id: "3", path: "/a/b")
        let items = checks.entries(
            [file(1, "/elsewhere/x"), file(2, "/a/bc"), file(3, "/a/b/c/d"), file(4, "/a/b/ok")],
            in: folder)
        #expect(items.map(\.reference.path) == ["/a/b/x", "/a/b/bc", "/a/b/d", "/a/b/ok"])
        #expect(
            checks.findings == [
                .foreignPath(id: "1"), .foreignPath(id: "2"), .foreignPath(id: "3"),
            ])
    }

    @Test func aFolderIsNotItsOwnEntryAndAnItemIsThereOnce() {
        var checks = checks()
        let folder = ItemReference(root: root, kind: .folder, id: "3", path: "/f")
        let itself = WireItem(type: .folder, id: 3, rootID: 1, path: "/f/f")
        // Ids of files are a space of their own: this one is no repetition.
        let items = checks.entries(
            [itself, file(3, "/f/x"), file(3, "/f/y")], in: folder)
        #expect(items.map(\.name) == ["x"])
        #expect(checks.findings == [.folderInItself(id: "3"), .repeatedItem(id: "3")])
    }

    @Test func numbersAndDatesAreHeldWithinReason() {
        var odd = file(1, "/a")
        odd.size = -5
        odd.modified = "9999-12-31T23:59:59"
        var checks = checks()
        let item = checks.item(odd, in: nil)
        #expect(item.size == 0)
        #expect(item.modified == nil)
        #expect(checks.findings == [.negativeSize(id: "1"), .absurdDate(id: "1")])
    }

    @Test(
        arguments: [
            (nil, ItemPermissions.all), ([], []), (["FILE_VIEW"], .read),
            (["FILE_VIEW", "FILE_READ"], .read), (["FILE_WRITE"], .all), (["folder_write"], .all),
            (["SOMETHING_NEW"], []),
        ] as [([String]?, ItemPermissions)])
    func permissionWords(words: [String]?, permissions: ItemPermissions) {
        var item = file(1, "/a")
        item.permissions = words
        var checks = checks()
        #expect(checks.item(item, in: nil).permissions == permissions)
    }

    @Test func onlyOthersLocksCount() {
        func locked(_ locks: [WireLock]?) -> CloudItem {
            var item = file(1, "/a")
            item.isLocked = true
            item.locks = locks
            var checks = checks()
            return checks.item(item, in: nil)
        }
        let mine = WireLock(personID: 10, email: nil, displayName: "Me", expires: nil)
        let mineByMail = WireLock(
            personID: nil, email: "Me@Example.com", displayName: nil, expires: nil)
        let other = WireLock(
            personID: 11, email: "bob@example.com", displayName: "Bob", expires: nil)
        #expect(!locked([mine]).isLocked)
        #expect(!locked([mineByMail]).isLocked)
        #expect(locked([mine, other]).lockHolder == "Bob")
        #expect(locked([other]).isLocked)
        #expect(locked([]).isLocked)
        #expect(locked(nil).isLocked)
    }

    @Test func ourOwnLockIsKnownWhereTheServerDoesNotSayWhoHoldsIt() {
        var item = file(1, "/a")
        item.isLocked = true
        var checks = checks()
        checks.ownLocks = [
            ItemReference.Key(ItemReference(root: root, kind: .file, id: "1", path: "/old"))
        ]
        #expect(!checks.item(item, in: nil).isLocked)
    }
}
