import ArgumentParser
import MountService

/// `ordner machine`
struct MachineCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "machine", abstract: "Administers the machines of a cloud.",
        discussion: "Machines, mappings and backups are named by number.",
        subcommands: [
            List.self, Show.self, Status.self, Server.self, Ls.self, MappingCommand.self,
            BackupCommand.self,
        ])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Lists the machines.")

        @OptionGroup var options: AdministrationOptions
        @OptionGroup var part: ListOptions

        func run() async throws {
            try await options.administer { cloud in
                let machines = try cloud.part(cloud.machines, "machines")
                try await RecordOutput(isJSON: options.json).list(part, "machines") {
                    offset throws(ServiceFailure) in
                    try await machines.machines(from: offset)
                }
            }
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Shows one machine.")

        @OptionGroup var options: AdministrationOptions
        @Argument var machine: Int64

        func run() async throws {
            try await options.administer { cloud in
                let machines = try cloud.part(cloud.machines, "machines")
                try RecordOutput(isJSON: options.json).show(try await machines.machine(machine))
            }
        }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the folders that a machine keeps in step.")

        @OptionGroup var options: AdministrationOptions
        @Argument var machine: Int64

        func run() async throws {
            try await options.administer { cloud in
                let machines = try cloud.part(cloud.machines, "machines")
                try RecordOutput(isJSON: options.json)
                    .list(try await machines.status(ofMachine: machine), "folders")
            }
        }
    }

    enum Switch: String, ExpressibleByArgument, CaseIterable { case on, off }

    struct Server: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Turns the file server of a machine on or off.")

        @OptionGroup var options: AdministrationOptions
        @Argument var machine: Int64
        @Argument(help: "on or off.") var state: Switch

        func run() async throws {
            try await options.administer { cloud in
                let machines = try cloud.part(cloud.machines, "machines")
                try await machines.setServer(state == .on, onMachine: machine)
                Message.say("The file server of machine \(machine) is \(state.rawValue).")
            }
        }
    }

    struct Ls: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Lists the folders in a folder of a file server, or its drives.")

        @OptionGroup var options: AdministrationOptions
        @Argument var machine: Int64
        @Argument var path: String?

        func run() async throws {
            try await options.administer { cloud in
                let machines = try cloud.part(cloud.machines, "machines")
                let names = try await machines.folders(onMachine: machine, below: path)
                if options.json { return Message.say(try JSONLine.text(names)) }
                for name in names { Message.say(RecordOutput.clean(name)) }
            }
        }
    }

    struct MappingCommand: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "mapping", abstract: "Maps roots to folders of a file server.",
            subcommands: [List.self, Show.self, Create.self, Delete.self])

        struct List: AsyncParsableCommand {
            static let configuration = CommandConfiguration(abstract: "Lists the mappings.")

            @OptionGroup var options: AdministrationOptions
            @Argument var machine: Int64

            func run() async throws {
                try await options.administer { cloud in
                    let machines = try cloud.part(cloud.machines, "machines")
                    try RecordOutput(isJSON: options.json)
                        .list(try await machines.mappings(ofMachine: machine), "mappings")
                }
            }
        }

        struct Show: AsyncParsableCommand {
            static let configuration = CommandConfiguration(abstract: "Shows one mapping.")

            @OptionGroup var options: AdministrationOptions
            @Argument var machine: Int64
            @Argument var mapping: Int64

            func run() async throws {
                try await options.administer { cloud in
                    let machines = try cloud.part(cloud.machines, "machines")
                    try RecordOutput(isJSON: options.json)
                        .show(try await machines.mapping(mapping, ofMachine: machine))
                }
            }
        }

        struct Create: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Maps a root to a folder.")

            @OptionGroup var options: AdministrationOptions
            @Argument var machine: Int64
            @Argument(help: "The root's number.") var root: Int64
            @Argument(help: "The full path on the machine.") var path: String

            func run() async throws {
                try await options.administer { cloud in
                    let machines = try cloud.part(cloud.machines, "machines")
                    try RecordOutput(isJSON: options.json).show(
                        try await machines.createMapping(
                            ofMachine: machine, root: root, path: path))
                }
            }
        }

        struct Delete: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                abstract: "Ends a mapping; the root and the folder stay.")

            @OptionGroup var options: AdministrationOptions
            @Argument var machine: Int64
            @Argument var mapping: Int64
            @OptionGroup var confirmation: ConfirmationOptions

            func run() async throws {
                try await options.administer { cloud in
                    let machines = try cloud.part(cloud.machines, "machines")
                    try await confirmation.confirm("End the mapping \(mapping)")
                    try await machines.deleteMapping(mapping, ofMachine: machine)
                    Message.say("Deleted mapping \(mapping).")
                }
            }
        }
    }
}
