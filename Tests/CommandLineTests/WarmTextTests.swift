import MountService
import Testing

/// What `ordner warm` and `ordner cache` say, as far as it needs no mount.
@Suite struct WarmTextTests {
    private func report(_ change: (inout WarmReport) -> Void) -> WarmReport {
        var report = WarmReport(run: 1)
        report.mountPoint = "/m"
        report.cacheLimit = 1 << 30
        change(&report)
        return report
    }

    @Test func progressTellsFilesBytesRateAndTrouble() {
        var listing = report { $0.isListing = true }
        #expect(WarmText.bar(listing, rate: 5) == "listing: 0 folders, 0 files, 0 bytes")
        listing.folders = 1
        listing.files = 20
        listing.bytes = 2048
        #expect(WarmText.progress(listing, rate: nil) == "listing: 1 folder, 20 files, 2.0 KB")

        var fetching = report {
            $0.files = 200
            $0.bytes = 4 << 20
            $0.filesHere = 20
            $0.filesFetched = 30
            $0.bytesDone = 1 << 20
        }
        #expect(WarmText.progress(fetching, rate: nil) == "50 of 200 files, 1.0 MB of 4.0 MB")
        fetching.failureCount = 2
        fetching.refusedFiles = 3
        #expect(
            WarmText.bar(fetching, rate: 1536.4)
                == "[####------------] 50 of 200 files, 1.0 MB of 4.0 MB, 1.5 KB/s, 2 failed, 3 don't fit"
        )
    }

    /// Files may grow and shrink on the server meanwhile.
    @Test(
        arguments: [(0, 0), (5, 0), (0, 5), (5, 5), (9, 5), (-3, 5), (1, Int64.max)]
            as [(Int64, Int64)])
    func theBarIsAlwaysAsWide(done: Int64, total: Int64) {
        let bar = WarmText.bar(
            report {
                $0.bytesDone = done
                $0.bytes = total
            }, rate: nil)
        #expect(bar.prefix(18).filter { "[]#-".contains($0) }.count == 18, "\(bar)")
        #expect(bar.prefix(18).contains("-") == (done < total))
    }

    @Test func theSummaryTellsWhatWasFetchedAndWhatWasHere() {
        var done = report {
            $0.filesFetched = 1
            $0.bytesFetched = 1024
        }
        #expect(WarmText.summary(done) == "1 file fetched (1.0 KB).")
        done.filesHere = 1
        #expect(
            WarmText.summary(done) == "1 file fetched (1.0 KB), 1 was here already (0 bytes).")
        done.filesHere = 12
        done.bytesHere = 12
        #expect(
            WarmText.summary(done) == "1 file fetched (1.0 KB), 12 were here already (12 bytes).")
        #expect(WarmText.failure(done) == nil)
    }

    @Test func failuresSayWhatIsMissingAndWhatToDo() throws {
        let failed = try #require(WarmText.failure(report { $0.failureCount = 1 }))
        #expect(failed.message == "/m: 1 item could not be fetched")

        var small = report {
            $0.isCancelled = true
            $0.refusedFiles = 2
            $0.refusedBytes = 3 << 30
            $0.lackingBytes = 5 << 20
            $0.bound = "limit"
        }
        var failure = try #require(WarmText.failure(small))
        #expect(
            failure.message == "/m: it was ended before all was fetched; "
                + "2 files (3.0 GB) don't fit into the cache of 1.0 GB: 5.0 MB are missing")
        #expect(failure.remedy?.contains("ordner cache /m --limit") == true)
        small.isCancelled = false
        small.refusedFiles = 1
        small.bound = "disk"
        failure = try #require(WarmText.failure(small))
        #expect(failure.message.contains("1 file (3.0 GB) doesn't fit on the disk"))
        #expect(failure.message.contains("5.0 MB are missing"))
        #expect(failure.remedy?.contains("--cache-dir") == true)
        small.bound = "files"
        failure = try #require(WarmText.failure(small))
        #expect(failure.message.contains("only so many files"))
    }

    @Test func theRateIsThatOfTheLastSeconds() {
        var rate = TransferRate()
        #expect(rate.perSecond == nil)
        rate.note(1_000, at: 10)
        #expect(rate.perSecond == nil)
        rate.note(1_000, at: 10)
        #expect(rate.perSecond == nil, "no time has passed")
        rate.note(3_000, at: 11)
        #expect(rate.perSecond == 2_000)
        for second in 12...30 { rate.note(3_000 + Int64(second - 11) * 100, at: Double(second)) }
        #expect(rate.perSecond == 100)
        rate.note(0, at: 31)
        #expect(rate.perSecond == 100, "what went back says nothing")
        for second in 31...40 { rate.note(4_900, at: Double(second)) }
        #expect(rate.perSecond == 0)
    }

    @Test func theHolderOfALockIsRead() {
        let locks = """
            1: POSIX  ADVISORY  WRITE 11 08:01:77 0 EOF
            2: FLOCK  ADVISORY  WRITE 12 08:01:78 0 EOF
            3: FLOCK  ADVISORY  WRITE 13 fd:10a:77 0 EOF
            3: -> FLOCK  ADVISORY  WRITE 14 08:01:77 0 EOF
            4: FLOCK  ADVISORY  WRITE 15 08:01:77 0 EOF
            """
        let file = LockHolder.identity(device: 0x801, inode: 77)
        #expect(file == "08:01:77")
        #expect(LockHolder.processID(of: file, in: locks) == 15)
        #expect(LockHolder.identity(device: 0x10_fd0a, inode: 77) == "fd:10a:77")
        #expect(LockHolder.processID(of: "fd:10a:77", in: locks) == 13)
        #expect(LockHolder.processID(of: "08:02:77", in: locks) == nil)
        #expect(LockHolder.processID(of: file, in: "") == nil)
    }
}
