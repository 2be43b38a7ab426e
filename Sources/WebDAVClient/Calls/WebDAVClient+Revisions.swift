package import CloudStorage
import HTTPTransport
import Synchronization

/// Asking for the revisions of many files: a folder's in one listing, where that is cheaper than asking
/// for each.
extension WebDAVClient {
    /// Files of a folder from which on its listing may be worth it.
    private static let fewestToList = 4
    /// Entries of a listing that cost about as much as the question for one file.
    private static let entriesPerQuestion = 8
    /// Folders whose sizes are remembered.
    private static let rememberedFolders = 4_096

    package func revisions(of files: [ItemReference]) async -> [String?] {
        var answers = [String?](repeating: nil, count: files.count)
        var folders: [RemotePath: [Int]] = [:]
        for (index, file) in files.enumerated() {
            do throws(CloudStorageError) {
                guard let folder = try RemotePath(file).parent else { continue }
                folders[folder, default: []].append(index)
            } catch {
                // No path of this server: there is nothing to ask.
                continue
            }
        }
        var alone: [Int] = []
        for (folder, indices) in folders {
            guard isWorthListing(folder, for: indices.count),
                let found = await revisions(in: folder, of: indices.map { files[$0] })
            else {
                alone += indices
                continue
            }
            for (index, revision) in zip(indices, found) { answers[index] = revision }
        }
        let found = await together(alone.map { files[$0] }) { await self.revision(of: $0) }
        for (index, revision) in zip(alone, found) { answers[index] = revision }
        return answers
    }

    /// Notes how large a folder is.
    func noteListed(_ folder: RemotePath, entries: Int) {
        state.withLock { state in
            if state.listedEntries.count >= Self.rememberedFolders { state.listedEntries = [:] }
            state.listedEntries[folder] = entries
        }
    }

    private func isWorthListing(_ folder: RemotePath, for files: Int) -> Bool {
        guard files >= Self.fewestToList,
            let entries = state.withLock({ $0.listedEntries[folder] })
        else { return false }
        return entries <= files * Self.entriesPerQuestion
    }

    /// The revisions of files of one folder; nil where the folder can't be listed.
    private func revisions(in folder: RemotePath, of files: [ItemReference]) async -> [String?]? {
        do throws(CloudStorageError) {
            let body = PropertyRequest.revision(profile)
            let entries = try await multistatus(
                propfind("list", folder, isFolder: true, depth: 1, body))
            var checks = checks()
            let reference = ItemReference(
                root: Self.root, kind: folder.parts.isEmpty ? .root : .folder, id: nil,
                path: folder.text)
            let items = try checks.listing(entries, of: reference).items
            noteListed(folder, entries: items.count)
            var found: [RemotePath: CloudItem] = [:]
            for item in items { found[try RemotePath(item.reference)] = item }
            var revisions: [String?] = []
            for file in files {
                revisions.append(Self.revision(found[try RemotePath(file)], of: file))
            }
            return revisions
        } catch {
            return nil
        }
    }

    private func revision(of file: ItemReference) async -> String? {
        do throws(CloudStorageError) {
            let (item, _) = try await properties(
                of: try RemotePath(file), isFolder: false, PropertyRequest.revision(profile))
            return Self.revision(item, of: file)
        } catch {
            return nil
        }
    }

    private static func revision(_ item: CloudItem?, of file: ItemReference) -> String? {
        guard let item else { return nil }
        do throws(CloudStorageError) { try check(item, is: file) } catch { return nil }
        return item.revision
    }
}
