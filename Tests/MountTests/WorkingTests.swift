import CloudStorage
import LeitzCloudClient
import LeitzCloudServer
import TestSupport
import Testing

/// How servers differ in what the API's document leaves open.
let behaviours: [ServerBehaviour] = {
    var generous = ServerBehaviour()
    generous.uploadOntoName = .revision
    generous.supportsRanges = true
    return [ServerBehaviour(), generous]
}()

/// What people do with files, through the kernel, and what another client then finds.
@Suite(.serialized) struct WorkingTests {
    @Test(arguments: clouds)
    func copiesGoInAndOutUnchanged(_ kind: CloudKind) async throws {
        try await MountedCloud.with(kind, options: MountedCloud.serverFirst) {
            (mounted) async throws -> Void in
            try await mounted.shell(
                """
                mkdir -p $W/src; for i in $(seq 300); do mkdir -p $W/src/d$((i % 7)); \
                head -c $((i * 37)) /dev/urandom > $W/src/d$((i % 7))/f$i; done
                cp -r $W/src copy; diff -r $W/src copy; cp -r copy $W/back; diff -r $W/src $W/back
                rsync -a $W/src/ synced/
                rsync -a --itemize-changes $W/src/ synced/ > $W/again
                if grep '^>f' $W/again; then exit 1; fi
                diff -r $W/src synced
                """)
            let bob = try await mounted.bob()
            let top = try await bob.entries(of: mounted.server.top)
            let copy = try #require(top["copy"])
            let path = mounted.home.path + "/remote"
            let count = try await RemoteTree.download(bob, copy.reference, to: path)
            #expect(count == 300)
            try await mounted.shell("diff -r $W/src $W/remote")
            try await mounted.shell("rm -rf copy synced; [ -z \"$(ls -A)\" ]")
        }
    }

    @Test(arguments: clouds)
    func programsSaveInTheirOwnWays(_ kind: CloudKind) async throws {
        try await MountedCloud.with(kind, options: MountedCloud.serverFirst) {
            (mounted) async throws -> Void in
            try await mounted.shell(
                """
                # in place, appended, truncated
                echo one > a.txt; echo two >> a.txt; [ "$(wc -l < a.txt)" = 2 ]
                echo three > a.txt; [ "$(cat a.txt)" = three ]
                # vim: the old one aside, a new one written, the old one removed
                mv a.txt a.txt~; echo four > a.txt; sync a.txt; rm a.txt~; [ "$(cat a.txt)" = four ]
                # LibreOffice: lock file, a temporary one renamed over it
                echo me > .~lock.a.txt#; echo five > lu123.tmp; mv lu123.tmp a.txt; rm .~lock.a.txt#
                [ "$(cat a.txt)" = five ]; [ "$(ls -A)" = a.txt ]
                # odd offsets
                head -c 300000 /dev/urandom > $W/o; cp $W/o o
                for f in o $W/o; do dd if=/dev/zero of=$f bs=777 seek=13 count=3 conv=notrunc status=none; done
                cmp o $W/o
                for n in 5000 200000 0 77; do truncate -s $n o $W/o; cmp o $W/o; done
                # a name with everything in it
                n="$(printf 'a "b" %%20 \\u00fc \\xf0\\x9f\\x8e\\x89 #?&;:.txt')"; echo x > "$n"; [ "$(cat "$n")" = x ]; rm "$n"
                """)
            let bob = try await mounted.bob()
            let items = try await bob.entries(of: mounted.server.top)
            #expect(items.keys.sorted() == ["a.txt", "o"])
            let text = try await bob.bytes(of: try #require(items["a.txt"]))
            #expect(text == Array("five\n".utf8))
        }
    }

    @Test func attributesStay() async throws {
        try await MountedCloud.with(options: MountedCloud.serverFirst) {
            (mounted) async throws -> Void in
            try await mounted.shell(
                """
                echo 1 > c; chmod 640 c; touch -d 2001-02-03T04:05:06.789 c; setfattr -n user.k -v v c
                ln -s nowhere l; stat -c '%i %a %Y %n' c l > $W/before; ls -id . >> $W/before
                """)
            try await mounted.unmount()
            try await mounted.mount()
            try await mounted.shell(
                """
                stat -c '%i %a %Y %n' c l > $W/after; ls -id . >> $W/after; diff $W/before $W/after
                getfattr --only-values -n user.k c | grep -qx v
                [ "$(stat -c %y c | cut -c1-23)" = "$(date -d 2001-02-03T04:05:06.789 '+%F %T.%3N')" ]
                if ln c hard 2>/dev/null; then exit 1; fi
                flock c -c 'if flock -n c true; then exit 1; fi'
                mkdir d1 d2; echo 1 > d1/x; echo 2 > d2/y
                python3 -c "
                import ctypes, os
                libc = ctypes.CDLL(None, use_errno=True)
                assert libc.renameat2(-100, b'd1/x', -100, b'd2/y', 2) == 0, os.strerror(ctypes.get_errno())
                assert libc.renameat2(-100, b'd1/x', -100, b'd2/y', 1) == -1"
                [ "$(cat d1/x d2/y)" = "2
                1" ]
                """)
        }
    }

    @Test func aGibibyteNeedsLittleMemory() async throws {
        try await MountedCloud.with(options: MountedCloud.serverFirst) {
            (mounted) async throws -> Void in
            try await mounted.shell(
                """
                dd if=/dev/urandom of=$W/big bs=1M count=1024 status=none
                dd if=$W/big of=big bs=1M status=none; cmp big $W/big
                """, seconds: 300)
            #expect((1..<200).contains(mounted.driverMemory))
            try await mounted.unmount()
            try await mounted.atHome("rm -rf cache")
            try await mounted.mount()
            try await mounted.shell("cmp big $W/big; rm big $W/big", seconds: 300)
            #expect((1..<200).contains(mounted.driverMemory))
        }
    }

    @Test func aListingIsOneRequestForThousandsOfFiles() async throws {
        try await MountedCloud.with { (mounted) async throws -> Void in
            let bob = try await mounted.cloud.client(.bob)
            let many = try await bob.createFolder(name: "many", in: .top(of: mounted.cloud.team))
            try await mounted.cloud.fill(many.reference, files: 10_000)
            try await eventually("the folder is seen") {
                try await mounted.shell("ls") == "many\n"
            }
            mounted.cloud.server.resetRequestCounts()
            let lines = try await mounted.shell(
                "ls -l many | wc -l; stat many/* > /dev/null", seconds: 20)
            #expect(lines == "10001\n")
            let counts = mounted.cloud.server.requestCounts()
            #expect(counts["GET folder"] == 1, "\(counts)")
            #expect((counts["GET file"] ?? 0) == 0)
            #expect((counts["GET download"] ?? 0) == 0)
        }
    }
}
