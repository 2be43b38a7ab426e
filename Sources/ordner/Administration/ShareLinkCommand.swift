import ArgumentParser
import MountService

extension ShareCommand {
    /// `ordner share link`
    struct Link: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Shares a file or folder of the account by a link.",
            discussion: "Example: ordner share link work Team/report.pdf --expires 2030-01-31")

        @OptionGroup var options: AdministrationOptions
        @Argument(help: "As in a mount: the root's name, then the path in it.") var path: String
        @Flag(help: "Only for those who sign in.") var loginRequired = false
        @Option(help: ArgumentHelp("The last day.", valueName: "yyyy-mm-dd"))
        var expires: String?
        @Option(help: "An address it is for; may be repeated.") var subscriber: [String] = []
        @Flag(help: "Tell the addresses.") var notify = false
        @Option(help: ArgumentHelp("How often it may be downloaded.", valueName: "count"))
        var downloadLimit: Int?

        func run() async throws {
            var draft = LinkDraft()
            draft.loginRequired = loginRequired
            draft.expires = expires
            draft.subscribers = subscriber
            draft.notifies = notify
            draft.downloadLimit = downloadLimit
            let ready = draft
            try await options.administer { cloud in
                let links = try cloud.part(cloud.links, "shares by link")
                try RecordOutput(isJSON: options.json)
                    .show(try await links.shareLink(of: path, ready))
            }
        }
    }
}
