import FileSystemTypes
import TestSupport

import VirtualFileSystem

/// What the program on the mount does.
extension ModelRun {
    private static let names = ["a", "b", "c", "d.txt"]

    /// A folder that the mount shows, at most two deep.
    func existingFolder() async -> [String] {
        var path: [String] = []
        while path.count < 2, chance(50) {
            let folders = await entries(path).filter(\.isFolder)
            guard let next = folders.randomElement(using: &random) else { break }
            path.append(next.name)
        }
        return path
    }

    /// A place, most often one that exists.
    private func place() async -> [String] {
        let folder = await existingFolder()
        let known = await entries(folder)
        if chance(65), let entry = known.randomElement(using: &random) {
            return folder + [entry.name]
        }
        return folder + [Self.names.randomElement(using: &random) ?? "a"]
    }

    private func entries(_ path: [String]) async -> [(name: String, isFolder: Bool)] {
        do throws(FileSystemError) {
            return try await machine.list(path)
        } catch {
            return []
        }
    }

    func change() async {
        if !files.isEmpty, chance(20) { return await useOpenFile() }
        let path = await place()
        do throws(FileSystemError) {
            switch Int.random(in: 0..<100, using: &random) {
            case 0..<30: try await save(path)
            case 30..<40: try await append(path)
            case 40..<44:
                let old = try await machine.read(path)
                note("truncate \(path) of \(old)")
                try await machine.truncate(path, to: 0)
                note("  done")
                destroy(old)
                touchOpen(try await machine.node(path), "")
            case 44..<56:
                note("mkdir \(path)")
                try await machine.mkdir(path)
            case 56..<70: try await unlink(path)
            case 70..<76:
                note("rmdir \(path)")
                try await machine.rmdir(path)
            case 76..<94: try await rename(path, await place())
            default:
                let other = await place()
                note("exchange \(path) \(other)")
                try await machine.rename(path, other, .exchange)
            }
        } catch {
            note("  \(error.code): \(error.message)")
        }
    }

    /// Seconds since 1970, before those that the clocks show.
    static let givenTimes: Range<Int64> = 1_000_000_000..<1_600_000_000

    /// What `touch -d` does, each with a time of its own.
    func giveTime() async {
        let path = await place()
        let seconds = Int64.random(in: Self.givenTimes, using: &random)
        note("touch \(path) \(seconds)")
        do throws(FileSystemError) {
            try await machine.setTime(path, FileTime(seconds: seconds))
        } catch {
            note("  \(error.code): \(error.message)")
        }
    }

    /// A file that is open has another content.
    private func touchOpen(_ node: UInt64, _ text: String) {
        for index in files.indices where files[index].node == node {
            files[index].unsure.append(files[index].text)
            files[index].text = text
        }
    }

    private func save(_ path: [String]) async throws(FileSystemError) {
        var old: String?
        do throws(FileSystemError) {
            old = try await machine.read(path)
            let node = try await machine.node(path)
            if files.contains(where: { $0.node == node }) { return }
        } catch {
            guard error.code == .notFound else { throw error }
        }
        let text = newContent()
        note("save \(path) = \(text) instead of \(old ?? "nothing")")
        let handle =
            old == nil
            ? try await machine.create(path) : try await machine.open(path, [.write, .truncate])
        if let old { destroy(old) }
        let node = try await machine.node(path)
        try await machine.write(text, at: 0, handle)
        files.append(
            OpenFile(
                handle: handle, node: node, text: text, unsure: old.map { [$0] } ?? [],
                isDirty: true))
        if chance(80) { await close(files.count - 1) }
    }

    private func append(_ path: [String]) async throws(FileSystemError) {
        let old = try await machine.read(path)
        let node = try await machine.node(path)
        if files.contains(where: { $0.node == node }) { return }
        let more = newContent()
        note("append \(path) \(old) + \(more)")
        let handle = try await machine.open(path, [.write, .append])
        try await machine.write(more, at: 0, handle)
        extended.insert(old + more)
        destroy(old)
        files.append(
            OpenFile(
                handle: handle, node: node, text: old + more, unsure: [old], isDirty: true))
        if chance(70) { await close(files.count - 1) }
    }

    private func unlink(_ path: [String]) async throws(FileSystemError) {
        let old = try await machine.read(path)
        let node = try await machine.node(path)
        note("unlink \(path) of \(old)")
        try await machine.unlink(path)
        destroy(old)
        markUnlinked(node)
    }

    private func rename(_ from: [String], _ to: [String]) async throws(FileSystemError) {
        if from == to { return }
        var old: String?
        var node: UInt64?
        do throws(FileSystemError) {
            node = try await machine.node(to)
            old = try await machine.read(to)
        } catch {
            guard error.code == .notFound || error.code == .isFolder else { throw error }
        }
        note("rename \(from) to \(to) over \(old ?? "nothing")")
        try await machine.rename(from, to, .replace)
        if let old { destroy(old) }
        if let node { markUnlinked(node) }
    }

    private func markUnlinked(_ node: UInt64) {
        for index in files.indices where files[index].node == node {
            files[index].isUnlinked = true
        }
    }

    // MARK: Open files

    private func useOpenFile() async {
        guard let index = files.indices.randomElement(using: &random) else { return }
        do throws(FileSystemError) {
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                let more = newContent()
                note("write \(files[index].text) + \(more)")
                try await machine.write(
                    more, at: Int64(files[index].text.utf8.count), files[index].handle)
                if files[index].isUnlinked { return files[index].text += more }
                destroy(files[index].text)
                files[index].unsure.append(files[index].text)
                files[index].text += more
                extended.insert(files[index].text)
                files[index].isDirty = true
            case 1:
                note("fsync \(files[index].text)")
                try await machine.fsync(files[index].handle)
                confirmOpen(index)
            case 2:
                let text = try await machine.read(files[index].handle)
                if let seen = try machine.seen(of: files[index].handle), seen != text {
                    failure = failure ?? "the kernel reads \(seen) instead of \(text)"
                }
                if text != files[index].text {
                    failure = failure ?? "reads \(text) instead of \(files[index].text)"
                }
            default: await close(index)
            }
        } catch {
            note("  \(error.code): \(error.message)")
            if error.code == .stale { files[index].isUnlinked = true }
        }
    }

    private func confirmOpen(_ index: Int) {
        guard !files[index].isUnlinked, files[index].isDirty else { return }
        files[index].isDirty = false
        files[index].unsure = []
        confirm(files[index].text)
    }

    func close(_ index: Int) async {
        do throws(FileSystemError) {
            try await machine.flush(files[index].handle)
            note("close \(files[index].text)")
            confirmOpen(index)
        } catch {
            note("close \(files[index].text) fails: \(error)")
            forget(files[index].unsure + [files[index].text])
        }
        let file = files.remove(at: index)
        do throws(FileSystemError) {
            try await machine.release(file.handle)
        } catch {
            note("  release: \(error)")
        }
    }
}
