import LeitzCloudAPI
import TestSupport
import Testing

@Suite struct WireDateTests {
    @Test func readsTheDocumentsForms() {
        #expect(WireDate.parse("2015-01-01T01:02:03") == 1_420_074_123)
        #expect(WireDate.parse("2015-01-01 01:02:03") == 1_420_074_123)
        #expect(WireDate.parse("2015-01-01T01:02:03Z") == 1_420_074_123)
        #expect(WireDate.parse("2015-01-01T01:02:03.987654") == 1_420_074_123)
        #expect(WireDate.parse("2015-01-01T01:02:03.9Z") == 1_420_074_123)
        #expect(WireDate.parse("1970-01-01T00:00:00") == 0)
        #expect(WireDate.parse("1969-12-31T23:59:59") == -1)
        #expect(WireDate.parse("2000-02-29T00:00:00") == 951_782_400)
        #expect(WireDate.parseDay("2015-01-31") == 1_422_662_400)
    }

    @Test(arguments: [
        "", "2015-01-01", "2015-13-01T00:00:00", "2015-00-01T00:00:00", "2015-02-29T00:00:00",
        "1900-02-29T00:00:00", "2015-01-32T00:00:00", "2015-01-01T24:00:00",
        "2015-01-01T00:60:00", "2015-01-01T00:00:61", "2015/01/01T00:00:00",
        "2015-01-01X00:00:00", "2015-01-01T00:00:00+01:00", "2015-01-01T00:00:00.",
        "2015-01-01T00:00:00.Z", "-015-01-01T00:00:00", "２015-01-01T00:00:00", "null",
    ])
    func refusesWhatIsNoDate(text: String) {
        #expect(WireDate.parse(text) == nil)
    }

    @Test func roundTripsOverTenThousandYears() {
        var random = SeededRandom(seed: 7)
        for _ in 0..<20_000 {
            let seconds = Int64.random(in: -62_167_219_200...253_402_300_799, using: &random)
            #expect(WireDate.parse(WireDate.format(seconds)) == seconds)
        }
    }

    @Test func clampsWhatFourDigitsCannotHold() {
        #expect(WireDate.format(.max) == "9999-12-31T23:59:59")
        #expect(WireDate.format(.min) == "0000-01-01T00:00:00")
    }

    @Test func knowsNoDayButOneInTen() {
        #expect(WireDate.parseDay("2015-1-31") == nil)
        #expect(WireDate.parseDay("2015-02-30") == nil)
    }
}
