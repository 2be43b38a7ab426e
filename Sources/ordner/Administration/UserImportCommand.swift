import ArgumentParser
import MountService

/// `ordner user import`
struct UserImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Makes users out of the lines of a CSV file.",
        discussion: """
            The first line names the columns: email, and any of username, first_name, last_name,
            password, quota (such as 10G), phone, groups (names with | between them), admin (true
            or false).

            Each line is reported. Users that exist are left alone, so that the command can be
            repeated after an interruption; with --update they are brought up to date. A password
            that was made for a line whose report did not arrive is lost: make another one with
            ordner user password. An ownCloud makes a user in several steps: after an interruption
            there, use --update.
            """)

    @OptionGroup var options: AdministrationOptions
    @Argument(help: "The CSV file, in UTF-8.") var file: String
    @Flag(help: "Only tell what would be done.") var dryRun = false
    @Flag(help: "Bring users that exist up to date, passwords apart.") var update = false
    @Flag(help: "Make passwords for lines without one, and print them.")
    var generatePasswords = false
    @Flag(help: "Let the cloud make passwords for lines without one, and send them.")
    var mailPasswords = false

    func validate() throws {
        if generatePasswords && mailPasswords {
            throw ValidationError("Use only one of --generate-passwords and --mail-passwords.")
        }
    }

    func run() async throws {
        var settings = UserImport.Settings { ByteSize(argument: $0)?.bytes }
        settings.isDryRun = dryRun
        settings.updates = update
        if generatePasswords { settings.passwords = .generated }
        if mailPasswords { settings.passwords = .fromCloud }
        let chosen = settings
        try await options.administer { cloud in
            let users = try cloud.part(cloud.users, "users")
            var counts: [UserImport.Line.Outcome: Int] = [:]
            let failures = try await UserImport(users, chosen).run(file: file) {
                line throws(ServiceFailure) in
                counts[line.outcome, default: 0] += 1
                Message.say(options.json ? try JSONLine.short(line) : Self.text(line))
            }
            let summary = counts.sorted { $0.key.rawValue < $1.key.rawValue }
                .map { "\($0.value) \($0.key.rawValue)" }.joined(separator: ", ")
            Message.show(summary.isEmpty ? "no lines" : summary, on: 2)
            if failures > 0 { throw ServiceFailure("\(failures) lines failed") }
        }
    }

    private static func text(_ line: UserImport.Line) -> String {
        var text = "line \(line.line): \(line.outcome.rawValue) \(RecordOutput.clean(line.user))"
        if let reason = line.reason { text += ": " + RecordOutput.clean(reason) }
        if let password = line.password { text += "   password \(password)" }
        return text
    }
}
