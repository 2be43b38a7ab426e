import ArgumentParser
import Glibc
import MountService

/// The program: mounts cloud accounts as folders.
@main struct Ordner: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ordner",
        abstract: "Mounts a cloud account as an ordinary folder.",
        discussion: """
            To try it without an account:
              ordner demo ~/Cloud

            To use an account of yours:
              ordner login work https://cloud.example.com --user me@example.com
              ordner mount work ~/Work
              ordner unmount ~/Work

            As an administrator:
              ordner user list work
              ordner share create work Plans --group Sales

            Exit codes: 0 done, 1 failed, 2 wrong usage.
            """,
        subcommands: [
            LoginCommand.self, AccountsCommand.self, LogoutCommand.self, MountCommand.self,
            UnmountCommandLine.self, StatusCommand.self, SyncCommandLine.self,
            WarmCommandLine.self, CacheCommandLine.self, ConflictsCommand.self,
            LockCommandLine.self, UnlockCommandLine.self,
            LocksCommandLine.self, ServerCommand.self, DemoCommand.self,
        ],
        groupedSubcommands: [
            CommandGroup(
                name: "Administration",
                subcommands: [
                    UserCommand.self, GroupCommand.self, OrganizationCommand.self,
                    ShareCommand.self, GuestCommand.self, MachineCommand.self,
                    ActivityCommand.self, AppCommand.self, UsageCommand.self,
                ])
        ])

    /// Runs one command and ends the process where it failed.
    static func main() async {
        do {
            var command = try await asyncParseAsRoot(nil)
            if var command = command as? any AsyncParsableCommand {
                try await command.run()
            } else {
                try command.run()
            }
        } catch let failure as ServiceFailure {
            Message.failure(failure)
            Glibc.exit(1)
        } catch {
            guard exitCode(for: error) == .validationFailure else { exit(withError: error) }
            Message.show(fullMessage(for: error), on: STDERR_FILENO)
            Glibc.exit(2)
        }
    }
}
