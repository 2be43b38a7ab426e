import ArgumentParser
import Glibc
import MountService

/// `ordner demo`
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Starts the embedded cloud and mounts it, until Ctrl-C. Needs no account.",
        discussion: "The files are kept: the next demo shows them again.")

    @Argument(help: ArgumentHelp("The folder to mount on.", valueName: "dir"))
    var directory: String

    func run() async throws {
        DriverLog.start()
        let folders = try ProgramFolders()
        let location = MountLocation(resolving: directory)
        // So that the driver keeps no other folder in use.
        chdir("/")
        try await Demo.run(on: location, folders: folders) { Message.say(text(of: $0)) }
        Message.say("Unmounted.")
    }

    private func text(of tour: Demo.Tour) -> String {
        """
        The demo cloud is mounted on \(tour.location), as \(tour.user) at \(tour.url)

        Try in another terminal:
          ls "\(tour.location)"
          echo 'Hello, cloud' > "\(tour.location)/My Files/hello.txt"
          cp -r /usr/share/doc/git "\(tour.location)/My Files/Manuals"
          rsync -a "\(tour.location)/My Files/Manuals/" "\(tour.location)/Team/Manuals/"
          df -h "\(tour.location)"
          ordner status

        The files are kept in \(tour.dataFolder)
        Ctrl-C unmounts and stops the cloud.
        """
    }
}
