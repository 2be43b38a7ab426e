import Testing

import Reconciler

/// Which names programs give files for a moment.
@Suite struct PassingNameTests {
    @Test(arguments: [
        "lu123.tmp", "index.lock", "report.odt~", ".~lock.report.odt#", "~WRL0001.tmp", "a.TMP",
        ".text.txt.Xa1b2C", "text.txt.AbCdEf", "a.AbCdEf", "film.mkv.part", "a.crdownload",
        "tmp_obj_a1B2c3",
        ".goutputstream-ABC123", ".a.swp",
    ])
    func namesOfAMomentAreKnown(_ name: String) { #expect(PassingName.matches(name)) }

    @Test(arguments: [
        "a", "report.odt", "data.sqlite", "x.backup", "~", ".tmp", "log.202311", "photo.JPEG",
        "Makefile", "tmp", ".bashRC", ".gitignore", "archive.tar.gz", "part", "b.Straße",
    ])
    func namesThatStayAreKnown(_ name: String) { #expect(!PassingName.matches(name)) }

    @Test func whatIsPutAsideIsKnown() {
        #expect(PassingName.isVariant("report.odt.1", of: "report.odt"))
        #expect(PassingName.isVariant("#report.odt", of: "report.odt"))
        #expect(!PassingName.isVariant("report.odt", of: "report.odt"))
        #expect(!PassingName.isVariant("report-2.odt", of: "report.odt"))
    }
}
