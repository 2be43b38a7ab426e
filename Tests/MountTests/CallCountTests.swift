import LeitzCloudServer
import TestSupport
import Testing

/// What saving costs on servers of both kinds, in calls, listing and polling apart.
@Suite(.serialized) struct CallCountTests {
    /// A commit costs one upload for each file that is new or has changed, and one call for each
    /// new folder, however often git writes in between; a file that git is slow to give its name
    /// costs a rename besides, one that it is slow to remove an upload and a removal.
    @Test func aCommitCostsOneCallForEachChange() async throws {
        var behaviour = ServerBehaviour()
        behaviour.uploadOntoName = .revision
        try await MountedCloud.with(behaviour, options: ["--sync=none"]) {
            (mounted) async throws -> Void in
            let survey = """
                (cd r; find . -type d | sort > $W/dirs; find . -type f -exec sha256sum {} + \
                | sort > $W/files)
                """
            _ = try await mounted.calls(
                """
                export HOME=$W; git config --global user.name me; git config --global user.email m@x
                git init -q -b main r; cd r; echo 1 > a; mkdir d; echo 2 > d/b; git add .
                git commit -q -m one; echo 3 > a; cd ..; \(survey); cp $W/dirs $W/dirs0
                cp $W/files $W/files0
                """)
            var made = try await mounted.calls(
                "export HOME=$W; cd r; git commit -q -a -m two; cd ..; \(survey)")
            let folders = try await mounted.shell("comm -13 $W/dirs0 $W/dirs | wc -l")
            let files = try await mounted.shell("comm -13 $W/files0 $W/files | wc -l")
            var expected = ["POST upload": try #require(Int(files.trimmed))]
            let newFolders = try #require(Int(folders.trimmed))
            if newFolders > 0 { expected["POST create_folder"] = newFolders }
            let renames = made.removeValue(forKey: "POST rename") ?? 0
            let removals = made.removeValue(forKey: "POST delete") ?? 0
            made["POST upload", default: 0] -= removals
            #expect(made == expected, mounted.account())
            #expect(removals <= 10, mounted.account(of: "git's locks"))
            #expect(renames <= 10, mounted.account(of: "the objects, and the branch"))
            #expect(expected["POST upload", default: 0] >= 7)
            try await mounted.shell("export HOME=$W; cd r; git fsck --strict")
        }
    }

    /// A program that is slow to rename what it has written: it has been sent by then, and is sent again
    /// as the content of what it replaces, but not fetched.
    @Test func whatWasSentBeforeItReplacedAFileIsNotFetched() async throws {
        var behaviour = ServerBehaviour()
        behaviour.uploadOntoName = .revision
        try await MountedCloud.with(behaviour, options: ["--sync=none"]) {
            (mounted) async throws -> Void in
            _ = try await mounted.calls("echo 1 > a; echo 2 > a.lock")
            let made = try await mounted.calls("mv a.lock a")
            #expect(made == ["POST upload": 1, "POST delete": 1], mounted.account())
            let read = try await mounted.calls("cat a > $W/a")
            #expect(read == [:], mounted.account())
            #expect(try await mounted.shell("cat $W/a") == "2\n")
        }
    }

    /// Where an upload onto a name is refused, a replaced file costs the steps that keep a copy on
    /// the server at every moment, and a new one costs one upload as elsewhere.
    @Test func savesOnAServerThatRefusesTakenNames() async throws {
        try await MountedCloud.with(options: ["--sync=none"]) { (mounted) async throws -> Void in
            _ = try await mounted.calls("echo 1 > a; mkdir d; echo 2 > d/b; echo 3 > d/c")
            // Finds out what the server does.
            _ = try await mounted.calls("echo 4 > d/c")
            let replaced = ["POST upload": 1, "POST rename": 2, "POST delete": 1]
            let vim = try await mounted.calls("mv a a~; echo 4 > a; rm a~")
            #expect(vim == replaced, mounted.account(of: "vim"))
            let office = try await mounted.calls(
                "echo me > .~lock.a#; echo 5 > lu1.tmp; mv lu1.tmp a; rm .~lock.a#")
            #expect(office == replaced, mounted.account(of: "LibreOffice"))
            let rsync = try await mounted.calls(
                "cp -r d $W/s; echo other > $W/s/b; rsync -a $W/s/ d/; rm -r $W/s")
            #expect(rsync == replaced, mounted.account(of: "rsync"))
            let new = try await mounted.calls("echo 1 > new")
            #expect(new == ["POST upload": 1], mounted.account())
            let moved = try await mounted.calls("mv new newer")
            #expect(moved == ["POST rename": 1], mounted.account())
        }
    }
}

extension String {
    fileprivate var trimmed: String { filter { !$0.isWhitespace } }
}
