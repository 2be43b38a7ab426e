import CloudStorage
import Foundation
import LeitzCloudServer
import TestSupport
import Testing

/// LibreOffice at work on the mount, driven through its UNO interface, without a screen or with one
/// in memory.
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

    /// Opened as by a click on it: what a user gets to see.
    @Test func theProgramSaysWhoHasTheDocument() async throws {
        try await MountedCloud.with(.nextcloud, options: Self.options) {
            (mounted) async throws -> Void in
            try await prepare(mounted)
            let bob = try await mounted.bob()
            try await bob.lock(try await bobsItem(mounted).reference, seconds: 600)
            try await eventually(within: .seconds(30), "the owner file") {
                try await mounted.attempt("ls -A | grep -q lock.report").exitCode == 0
            }
            let said = try await mounted.python(
                Self.screen + "\n" + Self.prelude + "\n"
                    + """
                    opening = subprocess.Popen(
                        command + [os.path.abspath("report.odt")],
                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                    dialog = wait_for(lambda: focused("Document in Use"))
                    text = next(text for text in texts() if "locked" in text)
                    print([line for line in text.splitlines() if line][1].split()[0])
                    dialog.getChild("yes").executeAction("CLICK", ())
                    opening.wait(60)
                    document = wait_for(lambda: next(
                        (part for part in desktop.Components if hasattr(part, "getURL")), None))
                    print(document.isReadonly(), document.Text.String.strip())
                    document.close(True)
                    """ + "\n" + Self.end + "\nscreen.terminate()\nscreen.wait(30)",
                by: "/usr/bin/python3")
            #expect(said.lowercased() == "bob\ntrue first")
        }
    }

    /// `command` shows its windows on a screen in memory.
    private static let screen = """
        import atexit, os, subprocess
        reading, writing = os.pipe()
        screen = subprocess.Popen(
            ["Xvfb", "-displayfd", str(writing), "-nolisten", "tcp"], pass_fds=(writing,),
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        atexit.register(lambda: screen.poll() is None and screen.kill())
        os.close(writing)
        os.environ["DISPLAY"] = ":" + os.read(reading, 16).decode().strip()
        command = ["soffice", "--norestore", "--nologo", "--nofirststartwizard"]
        """

    private static let prelude = """
        import atexit, signal, subprocess, uno, unohelper
        from com.sun.star.beans import PropertyValue

        try: command
        except NameError: command = ["soffice", "--headless", "--norestore"]
        pipe = f"ordner-{os.getpid()}"
        office = subprocess.Popen(
            command + [f"--accept=pipe,name={pipe};urp;"], start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        # Where the script fails; the office program is several processes.
        atexit.register(lambda: office.poll() is None and os.killpg(office.pid, signal.SIGKILL))

        def wait_for(look):
            limit = time.monotonic() + 60
            while True:
                found = look()
                if found: return found
                try: raise Exception(f"LibreOffice ended: {office.wait(0.1)}")
                except subprocess.TimeoutExpired: pass
                if time.monotonic() > limit: raise Exception("LibreOffice does not answer")

        resolver = uno.getComponentContext().ServiceManager.createInstanceWithContext(
            "com.sun.star.bridge.UnoUrlResolver", uno.getComponentContext())
        NoConnect = uno.getClass("com.sun.star.connection.NoConnectException")

        def connected():
            try: return resolver.resolve(f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
            except NoConnect: return None

        context = wait_for(connected)

        def service(name):
            return context.ServiceManager.createInstanceWithContext(name, context)

        desktop = service("com.sun.star.frame.Desktop")

        def focused(title):
            window = service("com.sun.star.ui.test.UITest").getTopFocusWindow()
            state = {part.Name: part.Value for part in window.getState()} if window else {}
            return window if state.get("Text") == title else None

        def texts():
            "What the front window shows."
            def all(part):
                shown = part.getAccessibleContext()
                yield shown.getAccessibleName()
                for index in range(shown.getAccessibleChildCount()):
                    yield from all(shown.getAccessibleChild(index))
            return all(service("com.sun.star.awt.Toolkit").getTopWindow(0))

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
