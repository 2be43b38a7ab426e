import LeitzCloudClient
import TestSupport
import Testing

@Suite struct NameMappingTests {
    @Test(arguments: [
        ("a/b", "a\u{FF05}2Fb"), ("a\0b", "a\u{FF05}00b"), (".", "\u{FF05}2E"),
        ("..", "\u{FF05}2E\u{FF05}2E"), ("", "\u{FF05}FF"), ("plain.txt", "plain.txt"),
        ("100\u{FF05}", "100\u{FF05}"), ("50\u{FF05}xx", "50\u{FF05}xx"),
        ("\u{FF05}2F", "\u{FF05}252F"), ("\u{FF05}2E", "\u{FF05}252E"),
        ("\u{FF05}2Ex", "\u{FF05}2Ex"), ("\u{FF05}41", "\u{FF05}41"), ("...", "..."),
        ("%2F", "%2F"),
    ])
    func namesThatLinuxCannotHoldAreEscaped(server: String, shown: String) {
        #expect(NameMapping.escaped(server) == shown)
        #expect(NameMapping.serverName(ofShown: shown) == server)
    }

    @Test func escapingIsReversibleForAnyName() {
        var random = SeededRandom(seed: 3)
        let alphabet: [Unicode.Scalar] = [
            "/", "\0", ".", "\u{FF05}", "0", "2", "E", "F", "B", "C", "5", "8", "ü", "\u{308}", "a",
            "\u{1F600}", "~",
        ]
        for _ in 0..<20_000 {
            var scalars = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 0...8, using: &random) {
                scalars.append(alphabet[Int.random(in: 0..<alphabet.count, using: &random)])
            }
            let name = String(scalars)
            let shown = NameMapping.escaped(name)
            #expect(Array(NameMapping.serverName(ofShown: shown).utf8) == Array(name.utf8))
            #expect(!shown.utf8.contains(0) && !shown.utf8.contains(UInt8(ascii: "/")))
            #expect(!shown.isEmpty && shown != "." && shown != "..")
        }
    }

    @Test func longNamesAreCutAtACharacterAndKeepTheirExtension() {
        let long = String(repeating: "ü", count: 140) + ".txt"
        let shown = NameMapping.shortened(long, id: "77")
        #expect(shown.utf8.count <= 255)
        #expect(shown.hasSuffix("ü~77.txt"))
        let family = String(repeating: "👨‍👩‍👧‍👦", count: 20)
        #expect(NameMapping.shortened(family, id: "1").utf8.count <= 255)
        let fits = String(repeating: "x", count: 255)
        #expect(NameMapping.shortened(fits, id: "1") == fits)
    }

    @Test func marksStandBeforeTheExtension() {
        #expect(NameMapping.marked("a.txt", id: "5") == "a~5.txt")
        #expect(NameMapping.marked("a", id: "5") == "a~5")
        #expect(NameMapping.marked(".hidden", id: "5") == ".hidden~5")
        #expect(NameMapping.marked("a.", id: "5") == "a~5.")
    }
}
