import ArgumentParser
import MountService

/// Which account's cloud is administered, and how it is shown.
struct AdministrationOptions: ParsableArguments {
    @Argument(help: "The account, as in ordner accounts; an administrator's.")
    var account: String

    @Option(
        help: ArgumentHelp(
            "The number of the organization; the account's own where it is missing.",
            valueName: "number"))
    var org: Int64?

    @Flag(help: "Print JSON for programs.")
    var json = false

    func administer(_ work: (any Administration) async throws -> Void) async throws {
        try await AdministrationSession.with(
            try AccountName(account), organization: org, folders: try ProgramFolders(), work)
    }
}

/// Which part of a list is shown.
struct ListOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Leave out the first ones.", valueName: "count"))
    var offset: Int64 = 0

    @Flag(help: "Show the whole list, not only its first page.")
    var all = false

    func validate() throws {
        if offset < 0 { throw ValidationError("--offset is a count, and not negative.") }
    }
}

/// Asks before something is destroyed.
struct ConfirmationOptions: ParsableArguments {
    @Flag(help: "Don't ask.")
    var yes = false

    /// - Parameter question: without its question mark.
    func confirm(_ question: String) async throws {
        if yes { return }
        let answer = try await BlockingWork.run { () throws(ServiceFailure) in
            guard Terminal.isPresent else {
                throw ServiceFailure(
                    "this can't be undone, and there is no terminal to ask on",
                    remedy: "Add --yes if you are sure.")
            }
            return try Terminal.ask("\(question)? Type yes to go on: ")
        }
        guard answer.lowercased() == "yes" else { throw ServiceFailure("nothing was changed") }
    }
}

/// Where the password of an account that is made or changed comes from; never the command line.
struct PasswordOptions: ParsableArguments {
    @Flag(help: "Read the password from the first line of standard input.")
    var passwordStdin = false

    @Option(help: ArgumentHelp("Run this shell command for the password.", valueName: "command"))
    var passwordCommand: String?

    @Flag(help: "Make a password and print it.")
    var generatePassword = false

    @Flag(help: "Let the cloud make a password and send it to the account's address.")
    var mailPassword = false

    func validate() throws {
        let ways = [passwordStdin, passwordCommand != nil, generatePassword, mailPassword]
        if ways.count(where: { $0 }) > 1 {
            throw ValidationError("Use only one way to give the password.")
        }
    }

    /// The password, and the one that was made here, to be printed.
    /// - Parameter user: for the question on the terminal.
    func read(for user: String) async throws -> (password: AccountPassword, generated: String?) {
        if mailPassword { return (.fromCloud, nil) }
        if generatePassword {
            let password = GeneratedPassword.make()
            return (.given(password), password)
        }
        let source: PasswordSource =
            passwordStdin ? .standardInput : passwordCommand.map { .command($0) } ?? .terminal
        let password = try await BlockingWork.run { () throws(ServiceFailure) in
            try source.read(prompt: "Password for \(user): ")
        }
        return (.given(password), nil)
    }
}
