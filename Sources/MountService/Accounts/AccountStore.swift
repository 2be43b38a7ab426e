import Glibc
import TOMLKit

/// The accounts of this user, one settings file each.
package struct AccountStore: Sendable {
    package let folders: ProgramFolders

    package init(folders: ProgramFolders) { self.folders = folders }

    /// The names of all accounts, sorted.
    package func names() throws(ServiceFailure) -> [AccountName] {
        var names: [AccountName] = []
        for file in try LocalFile.names(in: folders.accounts) where file.hasSuffix(".toml") {
            names.append(try AccountName(String(file.dropLast(".toml".count))))
        }
        return names
    }

    /// Fails where there is no such account, or its file is broken.
    package func settings(of name: AccountName) throws(ServiceFailure) -> AccountSettings {
        guard let settings = try existingSettings(of: name) else {
            throw ServiceFailure(
                "there is no account '\(name)'",
                remedy: "Sign in with: ordner login \(name) URL   (ordner accounts lists them)")
        }
        return settings
    }

    /// Nil where there is no such account.
    package func existingSettings(of name: AccountName) throws(ServiceFailure) -> AccountSettings? {
        let path = folders.settingsFile(of: name)
        guard let bytes = try LocalFile.read(path) else { return nil }
        do {
            return try TOMLDecoder().decode(
                AccountSettings.self, from: String(decoding: bytes, as: UTF8.self))
        } catch {
            throw ServiceFailure(
                "\(path) can't be read as account settings: \(error)",
                remedy: "Mend the file, or delete it and sign in again.")
        }
    }

    /// Whether there are credentials for the account; the server may still refuse them.
    package func isSignedIn(_ name: AccountName) -> Bool {
        access(folders.credentialsFile(of: name), R_OK) == 0
    }

    /// Writes the settings, replacing those of an account of the same name.
    package func save(_ settings: AccountSettings, of name: AccountName) throws(ServiceFailure) {
        let text: String
        do {
            text = try TOMLEncoder().encode(settings)
        } catch {
            throw ServiceFailure("the settings of '\(name)' can't be written: \(error)")
        }
        try LocalFile.makePrivateFolder(folders.accounts)
        try LocalFile.replace(
            folders.settingsFile(of: name), with: Array((text + "\n").utf8), mode: 0o600)
    }
}
