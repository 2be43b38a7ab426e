import ArgumentParser
import MountService

/// `ordner login`
struct LoginCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "login",
        abstract: "Signs in to a cloud and remembers it under a name of your choice.",
        discussion: """
            The server may be a LeitzCloud, a Nextcloud, an ownCloud, or any other WebDAV server,
            whose address is that of the folder to mount.

            The password is asked for. Of a LeitzCloud account not the password is stored, but the
            server's token; where the account has two-step verification, the code is asked for
            too. WebDAV servers have no tokens: the password is stored in a file that only you can
            read. Where the server offers app passwords (Nextcloud, ownCloud), use one; with
            --browser a Nextcloud makes one when you have signed in there.

            Without --type the server says what it is. One that is both, as `ordner server` is,
            counts as a LeitzCloud; --type nextcloud takes its WebDAV face instead, with the same
            user and password.

            Example: ordner login work https://cloud.example.com --user me@example.com
            Example: ordner login files https://www.example.com/dav --user me
            """)

    @Argument(help: "Your name for the account, such as 'work'.")
    var name: String

    @Argument(help: "The server's address, such as https://cloud.example.com")
    var url: String

    @Option(help: "User name or e-mail address; asked for where it is missing.")
    var user: String?

    @Flag(help: "Read the password from the first line of standard input.")
    var passwordStdin = false

    @Option(help: ArgumentHelp("Run this shell command for the password.", valueName: "command"))
    var passwordCommand: String?

    @Option(help: "The code of the two-step verification; asked for where it is missing.")
    var code: String?

    @Option(
        help: ArgumentHelp(
            "A PEM file with certificates to trust besides the system's.", valueName: "file"))
    var ca: String?

    @Option(
        help: ArgumentHelp(
            "The kind of server: leitzcloud, nextcloud, owncloud or webdav; found out where it is "
                + "missing."))
    var type: String?

    @Flag(help: "Sign in with a browser, at an address that is printed (Nextcloud).")
    var browser = false

    func validate() throws {
        if browser && (passwordStdin || passwordCommand != nil || code != nil || user != nil) {
            throw ValidationError("--browser needs neither user, nor password, nor code.")
        }
        if passwordStdin && passwordCommand != nil {
            throw ValidationError("Use only one of --password-stdin and --password-command.")
        }
    }

    func run() async throws {
        let password: PasswordSource =
            if passwordStdin {
                .standardInput
            } else if let passwordCommand {
                .command(passwordCommand)
            } else {
                .terminal
            }
        var request = LoginRequest(name: try AccountName(name), url: url, password: password)
        request.user = user
        request.code = code
        request.certificateAuthority = ca.map(LocalPath.absolute)
        request.type = type
        if browser {
            request.browser = { page in
                Message.say("Open this address in a browser and sign in there:")
                Message.say("  " + page)
            }
        }
        let account = try await AccountLogin(folders: try ProgramFolders()).signIn(request)
        Message.say("Signed in to \(account.url) as \(account.user).")
        Message.say("Mount it with: ordner mount \(name) DIR")
    }
}

/// `ordner logout`
struct LogoutCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logout",
        abstract: "Forgets the account's token or password. Settings and cache stay.")

    @Argument(help: "The account's name.")
    var name: String

    func run() async throws {
        let account = try AccountName(name)
        try await AccountLogin(folders: try ProgramFolders()).signOut(of: account)
        Message.say("Signed out of '\(account)'.")
    }
}
