package import CloudStorage
import HTTPTransport

/// Asking for the revisions of many files: a folder's in one listing, where that is cheaper than asking
/// for each.
extension WebDAVClient {
    /// Files of a folder from which on its listing may be worth it.
    private static let fewestToList = 4
    /// Entries of a listing that cost about as much as the question for one file.
    private static let entriesPerQuestion = 8

    package func revisions(of files: [ItemReference]) async -> [String?] {
        let questions = questions(about: files)
        var answers = [String?](repeating: nil, count: files.count)
        var alone = questions.alone
        for group in questions.groups {
            let found = await revisions(in: group.folder, of: group.files.map { files[$0] })
            if let found {
                for (index, revision) in zip(group.files, found) { answers[index] = revision }
            } else {
                alone += group.files
            }
        }
        let found = await together(alone.map { files[$0] }) { await self.revision(of: $0) }
        for (index, revision) in zip(alone, found) { answers[index] = revision }
        return answers
    }

    /// Places of files in the list of those that are asked about.
    private struct Questions {
        var groups: [(folder: RemotePath, files: [Int])] = []
        var alone: [Int] = []
    }

    private func questions(about files: [ItemReference]) -> Questions {
        var folders: [RemotePath: [Int]] = [:]
        for (index, file) in files.enumerated() {
            if let folder = Self.folder(of: file) { folders[folder, default: []].append(index) }
        }
        var questions = Questions()
        for (folder, places) in folders {
            if isWorthListing(folder, for: places.count) {
                questions.groups.append((folder, places))
            } else {
                questions.alone += places
            }
        }
        questions.alone.sort()
        return questions
    }

    /// Nil where the path is none of this server: there is nothing to ask.
    private static func folder(of file: ItemReference) -> RemotePath? {
        do throws(CloudStorageError) {
            let path = try RemotePath(file)
            return path.parent
        } catch {
            return nil
        }
    }

    private func isWorthListing(_ folder: RemotePath, for files: Int) -> Bool {
        guard files >= Self.fewestToList, let entries = looks.size(of: folder) else { return false }
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
            looks.note(size: items.count, of: folder)
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
            return Self.revision(try await entry(file), of: file)
        } catch {
            return nil
        }
    }

    /// A file, with no more than a revision is made of.
    private func entry(_ file: ItemReference) async throws(CloudStorageError) -> CloudItem {
        let path = try RemotePath(file)
        return try await properties(of: path, isFolder: false, PropertyRequest.revision(profile))
            .item
    }

    private static func revision(_ item: CloudItem?, of file: ItemReference) -> String? {
        guard let item else { return nil }
        do throws(CloudStorageError) { try check(item, is: file) } catch { return nil }
        return item.revision
    }
}
