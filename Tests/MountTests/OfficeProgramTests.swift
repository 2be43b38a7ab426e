import CloudStorage
import Foundation
import LeitzCloudServer
import TestSupport
import Testing

/// LibreOffice at work on the mount, driven without a screen through its UNO interface.
@Suite(.serialized) struct OfficeProgramTests {
    private static let options = ["--poll=0.2"]

    /// Runs a script with `desktop`, a running LibreOffice, `opened(PATH)`, which returns the document,
    /// and `fields(PATH)`, the form of an owner file and the name in it.
    private func office(
        _ script: String, in mounted: MountedCloud, meanwhile: (() async throws -> Void)? = nil
    ) async throws -> String {
        // The one that Debian's python3-uno is for.
        try await mounted.python(
            Self.prelude + "\n" + script + "\n" + Self.end, by: "/usr/bin/python3",
            meanwhile: meanwhile)
    }

    private func bobsItem(_ mounted: MountedCloud) async throws -> CloudItem {
        let items = try await mounted.bob().entries(of: mounted.server.top)
        return try #require(items["report.odt"])
    }

    /// A document on the server.
    private func prepare(_ mounted: MountedCloud) async throws {
        try await mounted.shell(
            """
            echo first > $W/report.txt
            soffice --headless --convert-to odt --outdir $W $W/report.txt > $W/convert.log
            cp $W/report.odt .
            """)
        let sync = try await mounted.home.run("sync", mounted.point)
        #expect(sync.exitCode == 0, "\(sync.error)")
    }

    @Test(arguments: [CloudKind.leitzCloud(ServerBehaviour()), .nextcloud])
    func aDocumentIsOpenedEditedAndSaved(_ kind: CloudKind) async throws {
        try await MountedCloud.with(kind, options: Self.options) { (mounted) async throws -> Void in
            try await prepare(mounted)
            let said = try await office(
                """
                document = opened("report.odt")
                print(document.isReadonly(), document.Text.String.strip())
                print(fields(".~lock.report.odt#")[:2])
                print(sorted(os.listdir(".")))
                pause()
                document.Text.String = "second, edited here"
                document.store()
                document.close(True)
                print(sorted(os.listdir(".")))
                """, in: mounted
            ) {
                let isLocked = try await bobsItem(mounted).isLocked
                #expect(isLocked)
            }
            #expect(
                said == """
                    False first
                    (True, 4)
                    ['.~lock.report.odt#', 'report.odt']
                    ['report.odt']
                    """)
            let sync = try await mounted.home.run("sync", mounted.point)
            #expect(sync.exitCode == 0, "\(sync.error)")
            try await eventually(within: .seconds(30), "the lock is given back") {
                try await bobsItem(mounted).isLocked == false
            }
            let bytes = try await mounted.bob().bytes(of: try await bobsItem(mounted))
            try Data(bytes).write(to: URL(fileURLWithPath: mounted.home.path + "/stored.odt"))
            try await mounted.atHome(
                "unzip -p stored.odt content.xml | grep -q 'second, edited here'")
            let names = try await mounted.bob().entries(of: mounted.server.top).keys.sorted()
            #expect(names == ["report.odt"])
        }
    }

    /// LibreOffice finds the owner file, which is of the form of its own, with the colleague's name.
    @Test(arguments: [CloudKind.leitzCloud(ServerBehaviour()), .nextcloud])
    func aColleaguesDocumentIsOpenedReadOnly(_ kind: CloudKind) async throws {
        try await MountedCloud.with(kind, options: Self.options) { (mounted) async throws -> Void in
            try await prepare(mounted)
            let bob = try await mounted.bob()
            let item = try await bobsItem(mounted)
            try await bob.lock(item.reference, seconds: 600)
            try await eventually(within: .seconds(30), "the owner file") {
                try await mounted.attempt("ls -A | grep -q lock.report").exitCode == 0
            }
            let said = try await office(
                """
                document = opened("report.odt")
                print(document.isReadonly(), document.Text.String.strip())
                print(fields(".~lock.report.odt#"))
                try:
                    document.store()
                    print("stored")
                except Exception as error:
                    print("not stored")
                document.close(True)
                """, in: mounted)
            #expect(said.lowercased() == "true first\n(true, 4, 'bob')\nnot stored")
            #expect(try await bobsItem(mounted).revision == item.revision)
        }
    }

    private static let prelude = """
        import subprocess, uno, unohelper
        from com.sun.star.beans import PropertyValue

        pipe = f"ordner-{os.getpid()}"
        office = subprocess.Popen(
            ["soffice", "--headless", "--norestore", f"--accept=pipe,name={pipe};urp;"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        resolver = uno.getComponentContext().ServiceManager.createInstanceWithContext(
            "com.sun.star.bridge.UnoUrlResolver", uno.getComponentContext())
        limit = time.monotonic() + 60
        while True:
            try:
                context = resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
                break
            except Exception:
                if time.monotonic() > limit or office.poll() is not None: raise
                time.sleep(0.1)
        desktop = context.ServiceManager.createInstanceWithContext(
            "com.sun.star.frame.Desktop", context)

        def opened(path):
            hidden = PropertyValue("Hidden", 0, True, 0)
            url = uno.systemPathToFileUrl(os.path.abspath(path))
            return desktop.loadComponentFromURL(url, "_blank", 0, (hidden,))

        def fields(path):
            text = open(path).read()
            return text.endswith(";"), text.count(","), text.split(",")[0]
        """

    private static let end = """
        try: desktop.terminate()
        except Exception: pass
        office.wait(30)
        """
}
