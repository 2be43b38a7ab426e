import TestSupport
import Testing
import VirtualFileSystem

/// Names and contents of office programs' owner files.
@Suite struct OwnerFileTests {
    @Test(arguments: [
        ("a.odt", [".~lock.a.odt#"]),
        ("report.docx", [".~lock.report.docx#", "~$report.docx"]),
        ("reports.docx", [".~lock.reports.docx#", "~$eports.docx"]),
        ("document.docx", [".~lock.document.docx#", "~$cument.docx"]),
        ("document.XLSX", [".~lock.document.XLSX#", "~$document.XLSX"]),
        ("übersicht.pptx", [".~lock.übersicht.pptx#", "~$übersicht.pptx"]),
        ("übersicht.doc", [".~lock.übersicht.doc#", "~$ersicht.doc"]),
        ("picture.png", []), (".docx", []), ("docx", []),
    ])
    func programsLookForTheseNames(_ document: String, _ names: [String]) {
        #expect(OwnerFileName.names(for: document) == names)
    }

    @Test(arguments: [
        (".~lock.a.odt#", "a.odt"), (".~lock.any name#", "any name"),
        ("~$cument.docx", "document.docx"), ("~$report.docx", "report.docx"),
        ("~$table.xlsx", "table.xlsx"), (".~table.xlsx", "table.xlsx"),
        (".~lock.b.odt#", nil), ("~$ocument.docx", nil), (".~any name", nil), ("a.odt", nil),
        ("~$", nil), (".~lock.#", nil),
    ])
    func ownerFilesAreOfTheseDocuments(_ owner: String, _ document: String?) {
        let names = ["a.odt", "any name", "document.docx", "report.docx", "table.xlsx"]
        #expect(
            OwnerFileName.document(of: owner, among: names, isThere: { names.contains($0) })
                == document)
    }

    @Test func libreOfficesSayTheName() {
        #expect(OwnerFileText.libreOffice(holder: "Bob") == Array("Bob,,,,;".utf8))
        #expect(OwnerFileText.libreOffice(holder: "A, B;\\\n") == Array("A\\, B\\;\\\\,,,,;".utf8))
        #expect(OwnerFileText.libreOffice(holder: nil) == Array(",,,,;".utf8))
    }

    @Test func microsoftsSayTheNameTwice() {
        let word = OwnerFileText.microsoft(holder: "Bö", isWord: true)
        #expect(word.count == 162)
        #expect(Array(word[..<4]) == [2, UInt8(ascii: "B"), UInt8(ascii: "?"), 0])
        #expect(Array(word[54..<60]) == [2, 0, UInt8(ascii: "B"), 0, 0xF6, 0])
        let other = OwnerFileText.microsoft(holder: "Bö", isWord: false)
        #expect(other.count == 165)
        #expect(Array(other[..<4]) == [2, UInt8(ascii: "B"), UInt8(ascii: "?"), UInt8(ascii: " ")])
        #expect(Array(other[55..<61]) == [2, 0, UInt8(ascii: "B"), 0, 0xF6, 0])
        let long = OwnerFileText.microsoft(
            holder: String(repeating: "x", count: 500), isWord: true)
        #expect(long.count == 162)
        #expect(long[0] == 52)
    }

    @Test(arguments: [
        ".~x.rtf", ".~x.csv", ".~x.odt", ".~x.dotx", ".~x.doc", ".~lock.x.odt#", "~$x.pub",
    ])
    func ownerFilesNeverLeaveThisMachine(_ name: String) async throws {
        let fixture = try await Fixture.makeByHand()
        try await fixture.save("me", to: "/\(name)")
        try await fixture.save("content", to: "/.~other.txt")
        await fixture.work()
        #expect(fixture.cloud.snapshot().keys.sorted() == ["/.~other.txt"])
        await fixture.end()
    }
}
