import ArgumentParser
import MountService

extension CloudServerSettings.UploadOntoName: ExpressibleByArgument {}

/// `on` or `off`.
enum Switch: String, CaseIterable, ExpressibleByArgument {
    case on
    case off
}

/// `ordner server`
struct ServerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "server",
        abstract: "Runs the embedded cloud: a LeitzCloud server of your own, until Ctrl-C.",
        discussion: """
            It speaks HTTPS with a certificate of its own; clients trust DATA/ca.pem:
              ordner login home https://127.0.0.1:8443 --ca DATA/ca.pem --user me@example.com

            The same files have a WebDAV face, as Nextcloud's: log in with --type nextcloud.

            The switches below make it behave as other servers of this API do.
            """)

    @Option(help: ArgumentHelp("The folder for everything it keeps.", valueName: "dir"))
    var data: String

    @Option(help: ArgumentHelp("Where to listen; port 0 takes a free one.", valueName: "host:port"))
    var listen = "127.0.0.1:8443"

    @Flag(help: "HTTP without TLS; --listen must be an address of this machine only (127.0.0.1).")
    var plainHttp = false

    @Option(help: ArgumentHelp("Make a person with this address.", valueName: "email"))
    var admin: String?

    @Option(help: ArgumentHelp("The file with that person's password.", valueName: "file"))
    var adminPasswordFile: String?

    @Option(help: "An upload onto an existing name: conflict (refused) or revision.")
    var uploadOntoName = CloudServerSettings.UploadOntoName.conflict

    @Option(help: "Whether parts of a file can be downloaded: on or off.")
    var range = Switch.off

    @Flag(help: "Names that differ in case only are the same.")
    var caseInsensitive = false

    @Flag(help: "A deleted item still takes its name.")
    var deletedNamesBlock = false

    @Option(help: ArgumentHelp("Refused extensions, such as .exe,.iso", valueName: "list"))
    var excludedExtensions: String?

    @Option(help: ArgumentHelp("Largest file.", valueName: "megabytes"))
    var maxFileSize: Int?

    @Option(help: ArgumentHelp("Life of an access token.", valueName: "seconds"))
    var accessTokenSeconds = 3600

    func validate() throws {
        guard (admin == nil) == (adminPasswordFile == nil) else {
            throw ValidationError("--admin and --admin-password-file belong together.")
        }
        guard let address else {
            throw ValidationError("--listen takes HOST:PORT, such as 127.0.0.1:8443.")
        }
        guard !plainHttp || CloudServerSettings.isLoopback(address.host) else {
            throw ValidationError(
                "--plain-http would send passwords in the clear over the network: "
                    + "use it with 127.0.0.1, [::1] or localhost, or leave it out.")
        }
        guard maxFileSize ?? 1 > 0, accessTokenSeconds > 0 else {
            throw ValidationError("Sizes and times must be positive.")
        }
    }

    func run() async throws {
        guard let address else { return }
        DriverLog.start()
        var settings = CloudServerSettings(dataFolder: LocalPath.absolute(data))
        settings.host = address.host
        settings.port = address.port
        settings.isPlain = plainHttp
        if let admin, let adminPasswordFile {
            settings.administrator = (admin, LocalPath.absolute(adminPasswordFile))
        }
        settings.uploadOntoName = uploadOntoName
        settings.supportsRanges = range == .on
        settings.isCaseSensitive = !caseInsensitive
        settings.deletedNamesBlock = deletedNamesBlock
        settings.excludedExtensions = (excludedExtensions ?? "").split(separator: ",").map {
            $0.hasPrefix(".") ? String($0) : ".\($0)"
        }
        settings.maximumFileSizeMB = maxFileSize
        settings.accessTokenSeconds = accessTokenSeconds
        try await CloudServer.run(settings) { url, certificate in
            Message.say("listening on \(url)")
            if let certificate { Message.say("certificate \(certificate)") }
        }
    }

    /// `[::1]:8443` keeps its brackets out of the host.
    private var address: (host: String, port: Int)? {
        guard let colon = listen.lastIndex(of: ":"),
            let port = Int(listen[listen.index(after: colon)...]), (0...65_535).contains(port)
        else { return nil }
        let host = listen[..<colon].filter { $0 != "[" && $0 != "]" }
        return host.isEmpty ? nil : (String(host), port)
    }
}
