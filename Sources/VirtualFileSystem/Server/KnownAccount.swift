import CloudStorage
import FileSystemTypes
import FoundationEssentials
import Logging
import StateStore
import Synchronization

/// What the server last said of the account, kept so that a mount that starts without it knows
/// quota, policy and roots.
extension VirtualFileSystem {
    private static let accountKey = "account"

    func remember(_ account: AccountDescription) {
        do {
            let text = String(decoding: try JSONEncoder().encode(account), as: UTF8.self)
            store.enqueue([.setValue(key: Self.accountKey, value: text)])
        } catch {
            logger.error("the account can't be kept", metadata: ["error": "\(error)"])
        }
    }

    /// Takes up what an earlier run was told; the server is asked again soon.
    func loadAccount() async throws(FileSystemError) {
        guard let text = try await store.value(forKey: Self.accountKey) else { return }
        do {
            let known = try JSONDecoder().decode(AccountDescription.self, from: Data(text.utf8))
            tree.withLock { $0.account = known }
        } catch {
            // Another version's. Nothing depends on it that the server does not check.
            logger.warning("the account's record can't be read", metadata: ["error": "\(error)"])
        }
    }
}
