import FileSystemTypes
import StateStore
import TestSupport

import VirtualFileSystem

/// The other client, and the comparison of both sides when all is quiet.
extension ModelRun {
    func changeByOther() {
        // Nobody touches what has a temporary name.
        let server = cloud.snapshot().filter { !$0.key.contains("/.ordner-") }
        let folders = server.filter { $0.value == nil }.keys.sorted() + [""]
        let names = ["a", "b", "c", "e.txt"]
        let parent = folders.randomElement(using: &random) ?? ""
        let path = parent + "/" + (names.randomElement(using: &random) ?? "a")
        let existing = server.keys.sorted().randomElement(using: &random)
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<3:
            if server[path] == .some(nil) { return }
            if let old = server[path] ?? nil { overwrite(old) }
            let content = newContent()
            note("other stores \(path) = \(content)")
            cloud.storeByOther(Array(content.utf8), at: path)
            confirm(content)
        case 3..<5:
            guard let existing, let old = server[existing] ?? nil else { return }
            let content = newContent()
            note("other changes \(existing) of \(text(old)) = \(content)")
            overwrite(old)
            cloud.storeByOther(Array(content.utf8), at: existing)
            confirm(content)
        case 5:
            guard server[path] == nil, path.split(separator: "/").count < 3 else { return }
            note("other makes \(path)")
            cloud.makeFolderByOther(at: path)
        case 6..<8:
            guard let existing, let name = names.randomElement(using: &random) else { return }
            let folder = existing.split(separator: "/").dropLast().map { "/" + $0 }.joined()
            guard server[folder + "/" + name] == nil else { return }
            note("other renames \(existing) to \(name)")
            let below = cloud.snapshot().filter {
                $0.key == existing || $0.key.hasPrefix(existing + "/")
            }
            noteRenaming(of: below.values.compactMap { $0 })
            cloud.renameByOther(from: existing, to: name)
        default:
            guard let existing else { return }
            note("other deletes \(existing)")
            // With what has a temporary name in it.
            for (path, content) in cloud.snapshot()
            where path == existing || path.hasPrefix(existing + "/") {
                guard let content else { continue }
                // What is on its way, under a temporary name, the other client does not know.
                if path.contains("/.ordner-") {
                    forget([text(content)])
                } else {
                    overwrite(content)
                }
            }
            cloud.deleteByOther(at: existing)
        }
    }

    /// Whether this machine has not heard that its upload was done, or not of all the calls that it
    /// takes, and so has the content still to send.
    func isUnheard(_ content: [UInt8]) -> Bool {
        isUnsent(content) || cloud.unansweredContents.contains(content)
    }

    /// Whether this machine has the content still to send.
    func isUnsent(_ content: [UInt8]) -> Bool {
        machine.fileSystem.status().unsent.contains {
            $0.change == .content && $0.bytes == Int64(content.count)
        }
    }

    /// The other client overwrites or removes what it sees. What this machine has still to send it
    /// keeps all the same.
    private func overwrite(_ content: [UInt8]) {
        if isUnheard(content) {
            forget([text(content)])
        } else {
            destroy(text(content))
        }
    }

    private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

    /// Lets everything come to rest, and compares.
    func quiet() async throws {
        note("quiet")
        machine.cloud.setCutOff(false)
        cloud.removeFaults()
        for index in files.indices.reversed() { await close(index) }
        var jobs = 0
        for _ in 0..<4 {
            while await machine.fileSystem.carryOutNextJob() {
                await machine.fileSystem.settleListings()
                if machine.cloud.wasEnded { try await restart(isCrash: true) }
                machine.cloud.setCutOff(false)
                jobs += 1
                if jobs % 200 == 0, try await giveUpUnobtainable() { jobs = 0 }
                guard jobs < 1_000 else {
                    failure =
                        failure ?? "does not come to rest: \(machine.fileSystem.status().unsent)"
                    return
                }
            }
            do throws(FileSystemError) {
                try await machine.fileSystem.finishUndertakings()
                try await lookEverywhere([])
            } catch {
                note("  \(error)")
            }
            await machine.fileSystem.settleListings()
            if machine.cloud.wasEnded { try await restart(isCrash: true) }
            machine.cloud.setCutOff(false)
        }
        try await lookOnceMore()
        try await check()
    }

    /// A run that has just begun shows what an earlier one knew before it asks.
    private func lookOnceMore() async throws {
        repeat {
            if machine.cloud.wasEnded { try await restart(isCrash: true) }
            machine.cloud.setCutOff(false)
            do throws(FileSystemError) {
                try await lookEverywhere([])
            } catch {
                note("  \(error)")
            }
            await machine.fileSystem.settleListings()
        } while machine.cloud.wasEnded
    }

    private func lookEverywhere(_ path: [String]) async throws(FileSystemError) {
        try await machine.fileSystem.refreshAnew(try await machine.node(path))
        for entry in try await machine.list(path) where entry.isFolder {
            try await lookEverywhere(path + [entry.name])
        }
    }

    private func check() async throws {
        let server = cloud.snapshot()
        var mount: [String: [UInt8]?] = [:]
        do {
            try await collect([], into: &mount)
        } catch {
            guard machine.cloud.wasEnded else { throw error }
        }
        if machine.cloud.wasEnded {
            // The run ended while this side was looked at: the next one is compared.
            try await restart(isCrash: true)
            return try await quiet()
        }
        if mount != server {
            let here = mount.filter { server[$0.key] != $0.value }.map(show).sorted()
            let there = server.filter { mount[$0.key] != $0.value }.map(show).sorted()
            failure = failure ?? "the sides differ; here \(here), there \(there)"
        }
        if keepsTimes, failure == nil {
            try await checkTimes(server.filter { $0.value?.isEmpty == false }.keys)
        }
        let texts = server.values.compactMap { $0 }.map(text).filter { !$0.isEmpty }
        let contents = Set(texts)
        // Our own earlier upload is nobody else's version, and no file beside.
        let doubled = contents.subtracting(renamedUnheard).filter { content in
            texts.filter { $0 == content }.count > 1
        }
        if !doubled.isEmpty { failure = failure ?? "twice on the server: \(doubled.sorted())" }
        let lost = required.subtracting(contents)
        if !lost.isEmpty { failure = failure ?? "lost: \(lost.sorted())" }
        let returned = gone.subtracting(renamed).intersection(contents)
        if !returned.isEmpty { failure = failure ?? "came back: \(returned.sorted())" }
        let names = server.keys.filter { $0.contains("/.ordner-") }
        if !names.isEmpty { failure = failure ?? "left over: \(names.sorted())" }
        let unsent = machine.fileSystem.status().unsent.filter { $0.change != .undone }
        if !unsent.isEmpty { failure = failure ?? "unsent: \(unsent)" }
        let dirty = try await machine.store.dirtyRecords()
        if !dirty.isEmpty { failure = failure ?? "rows still differ: \(dirty)" }
        // What is on its way to the server is cleared up by the next start.
        let intents = try await machine.store.intents().filter { $0.kind == "converge" }
        if !intents.isEmpty { failure = failure ?? "\(intents.count) records of half-done changes" }
    }

    /// A time that the program has given and that is shown is the server's. Those of writes go along
    /// with the content; a crash may keep the time of a write that it loses.
    private func checkTimes(_ files: some Sequence<String>) async throws {
        for file in files.sorted() {
            let here = try await machine.modified(file.split(separator: "/").map(String.init))
            guard Self.givenTimes.contains(here.seconds), let there = cloud.modified(at: file),
                here.seconds != there
            else { continue }
            failure = failure ?? "\(file) has the time \(here) here, \(there) there"
        }
    }

    private func show(_ entry: (key: String, value: [UInt8]?)) -> String {
        "\(entry.key)=\(entry.value.map(text) ?? "folder")"
    }

    private func collect(
        _ path: [String], into found: inout [String: [UInt8]?]
    ) async throws {
        for entry in try await machine.list(path) {
            let name = "/" + (path + [entry.name]).joined(separator: "/")
            if entry.isFolder {
                found[name] = .some(nil)
                try await collect(path + [entry.name], into: &found)
            } else {
                do throws(FileSystemError) {
                    found[name] = Array(try await machine.read(path + [entry.name]).utf8)
                } catch {
                    found[name] = Array("can't be read: \(error)".utf8)
                }
            }
        }
    }
}
