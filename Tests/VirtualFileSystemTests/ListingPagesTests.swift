import TestSupport
import Testing
import VirtualFileSystem

/// When the kernel may show a listing from its own pages.
@Suite struct ListingPagesTests {
    private static func open(
        _ pages: inout ListingPages, _ version: UInt64, at now: Double = 0
    ) -> (fills: Bool, keeps: Bool) {
        let opening = pages.open(version: version, now: now, validity: 60)
        return (opening.fills, opening.keeps)
    }

    @Test func whatHasNotChangedIsKept() {
        var pages = ListingPages()
        #expect(Self.open(&pages, 7) == (true, false))
        pages.close()
        #expect(Self.open(&pages, 7) == (true, true))
        pages.close()
        #expect(Self.open(&pages, 8) == (true, false))
    }

    @Test func twoStatesDoNotMix() {
        var pages = ListingPages()
        _ = Self.open(&pages, 7)
        #expect(Self.open(&pages, 8) == (false, false))
        pages.close()
        #expect(Self.open(&pages, 8) == (true, false))
    }

    @Test func aSecondHandleDoesNotTrustPagesThatTheFirstIsDropping() {
        var pages = ListingPages()
        _ = Self.open(&pages, 7)
        #expect(Self.open(&pages, 7) == (true, false))
        pages.close()
        pages.close()
        #expect(Self.open(&pages, 7) == (true, true))
        #expect(Self.open(&pages, 7) == (true, true))
    }

    @Test func itIsReadAgainBeforeTheAttributesRunOut() {
        var pages = ListingPages()
        _ = Self.open(&pages, 7, at: 100)
        pages.close()
        #expect(Self.open(&pages, 7, at: 129) == (true, true))
        pages.close()
        #expect(Self.open(&pages, 7, at: 131) == (true, false))
        pages.close()
        #expect(Self.open(&pages, 7, at: 132) == (true, true))
    }
}
