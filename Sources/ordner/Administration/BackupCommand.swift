import ArgumentParser
import MountService

/// `ordner machine backup`
struct BackupCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "backup", abstract: "Backs up folders of a file server.",
        subcommands: [List.self, Show.self, Create.self, Restore.self, Delete.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists a machine's backups.")

        @OptionGroup var options: AdministrationOptions
        @Argument var machine: Int64

        func run() async throws {
            try await options.administer { cloud in
                let machines = try cloud.part(cloud.machines, "machines")
                try RecordOutput(isJSON: options.json)
                    .list(try await machines.backups(ofMachine: machine), "backups")
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows one backup.")

        @OptionGroup var options: AdministrationOptions
        @Argument var machine: Int64
        @Argument var backup: Int64

        func run() async throws {
            try await options.administer { cloud in
                let machines = try cloud.part(cloud.machines, "machines")
                try RecordOutput(isJSON: options.json)
                    .show(try await machines.backup(backup, ofMachine: machine))
            }
        }
    }

    struct Create: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Begins to back up a folder.")

        @OptionGroup var options: AdministrationOptions
        @Argument var machine: Int64
        @Argument(help: "The full path on the machine.") var path: String

        func run() async throws {
            try await options.administer { cloud in
                let machines = try cloud.part(cloud.machines, "machines")
                try RecordOutput(isJSON: options.json)
                    .show(try await machines.createBackup(ofMachine: machine, path: path))
            }
        }
    }

    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Brings a backup back to a folder, which may have newer files.")

        @OptionGroup var options: AdministrationOptions
        @Argument var machine: Int64
        @Argument var backup: Int64
        @Argument(help: "The full path where it comes to.") var path: String
        @Option(help: ArgumentHelp("Another machine.", valueName: "number"))
        var toMachine: Int64?
        @OptionGroup var confirmation: ConfirmationOptions

        func run() async throws {
            try await options.administer { cloud in
                let machines = try cloud.part(cloud.machines, "machines")
                try await confirmation.confirm(
                    "Restore backup \(backup) to \(path) on machine \(toMachine ?? machine)")
                try RecordOutput(isJSON: options.json).show(
                    try await machines.restoreBackup(
                        backup, ofMachine: machine, to: path, onMachine: toMachine))
            }
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deletes a backup with its files.")

        @OptionGroup var options: AdministrationOptions
        @Argument var machine: Int64
        @Argument var backup: Int64
        @OptionGroup var confirmation: ConfirmationOptions

        func run() async throws {
            try await options.administer { cloud in
                let machines = try cloud.part(cloud.machines, "machines")
                try await confirmation.confirm("Delete backup \(backup) with its files")
                try await machines.deleteBackup(backup, ofMachine: machine)
                Message.say("Deleted backup \(backup).")
            }
        }
    }
}
