import ArgumentParser
import FoundationEssentials
import MountService

/// `ordner accounts`
struct AccountsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accounts", abstract: "Lists the accounts you have signed in to.")

    @Flag(help: "Print JSON for programs.")
    var json = false

    private struct Line: Codable {
        var name: String
        var type: String
        var url: String
        var user: String
        var signedIn: Bool

        enum CodingKeys: String, CodingKey {
            case name, type, url, user
            case signedIn = "signed_in"
        }
    }

    func run() async throws {
        let folders = try ProgramFolders()
        let lines = try await BlockingWork.run { () throws(ServiceFailure) in
            let store = AccountStore(folders: folders)
            var lines: [Line] = []
            for name in try store.names() {
                let settings = try store.settings(of: name)
                lines.append(
                    Line(
                        name: name.rawValue, type: settings.type.rawValue, url: settings.url,
                        user: settings.user, signedIn: store.isSignedIn(name)))
            }
            return lines
        }
        if json {
            Message.say(try JSONLine.text(lines))
        } else if lines.isEmpty {
            Message.say("No account yet. Sign in with: ordner login NAME URL")
        } else {
            for line in lines {
                let note = line.signedIn ? "" : "   (signed out)"
                Message.say("\(line.name)\t\(line.type)\t\(line.url)\t\(line.user)\(note)")
            }
        }
    }
}

/// JSON as commands print it.
enum JSONLine {
    static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }

    /// On one line, for reports that may be cut off between two of them.
    static func short(_ value: some Encodable) throws(ServiceFailure) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            throw ServiceFailure("can't write JSON: \(error)")
        }
    }
}
