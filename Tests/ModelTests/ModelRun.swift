import CloudStorage
import FileSystemTypes
import Logging
import StateStore
import Synchronization
import TestSupport

import VirtualFileSystem

/// A program, another client, faults and crashes at random, and what must hold of every content.
///
/// Contents are unique. A content is `required` once a close has confirmed it or the other client
/// has stored it, and `gone` once somebody who saw it has overwritten or removed it. Jobs are
/// carried out one by one, so that a seed repeats a run.
final class ModelRun {
    struct OpenFile {
        var handle: UInt64
        var node: UInt64
        /// What the file holds, written or confirmed.
        var text: String
        /// What a crash may bring back or lose.
        var unsure: [String] = []
        var isDirty = false
        var isUnlinked = false
    }

    var random: SeededRandom
    /// When memory is left: by itself, so that a seed's other steps do not depend on it.
    private var unloadings: SeededRandom
    let cloud: ModelCloud
    let folder: TemporaryFolder
    let logger: Logger
    let world: World
    var machine: Machine
    var files: [OpenFile] = []
    var required: Set<String> = []
    var gone: Set<String> = []
    /// Contents of files that the other client has renamed and that are not known by an id: the new
    /// name is another file, which what is done here to the old one does not concern.
    var renamed: Set<String> = []
    /// Of these, what this machine was still sending: nobody here can know that it has arrived, so it
    /// is sent again, under its own name. And what was on the server twice, in the middle of a
    /// replacement: as the file that takes the place, and as the next version of the one that had it.
    var renamedUnheard: Set<String> = []
    /// What the program has made of contents by writing behind them.
    var extended: Set<String> = []
    let addressesByPath: Bool
    /// The cloud keeps the times that the program gives files.
    let keepsTimes: Bool
    /// Reads complete files by itself, where there is one.
    private let kernel: ReadingKernel?
    var lastContent = 0
    var failure: String?
    var log: [String] = []
    /// The texts of the driver's log.
    let records: LogRecords

    /// At random, whether the state table is written as soon as it can be.
    private let writesNow: @Sendable () -> Bool

    init(
        seed: UInt64, addressesByPath: Bool = false, keepsTimes: Bool = false,
        kernelReads: Bool = false
    ) throws {
        kernel = kernelReads ? ReadingKernel() : nil
        random = SeededRandom(seed: seed)
        unloadings = SeededRandom(seed: seed &+ 2)
        let writes = Mutex(SeededRandom(seed: seed &+ 1))
        let writesNow: @Sendable () -> Bool = {
            writes.withLock { Int.random(in: 0..<4, using: &$0) == 0 }
        }
        self.writesNow = writesNow
        self.addressesByPath = addressesByPath
        self.keepsTimes = keepsTimes
        cloud =
            addressesByPath
            ? .addressingByPath(setsTimes: keepsTimes)
            : ModelCloud(behaviour: seed % 2 == 0 ? .revision : .conflict)
        folder = try TemporaryFolder("ordner-model")
        let records = LogRecords()
        self.records = records
        logger = Logger(label: "model", factory: { _ in records })
        world = World()
        machine = try Machine(
            folder: folder, cloud: cloud, chance: world.chance, logger: logger,
            kernel: kernel, writesNow: writesNow)
    }

    func run(steps: Int) async throws {
        try await machine.fileSystem.start()
        for step in 0..<steps where failure == nil {
            world.advance(seconds: random.next() % 4 == 0 ? 3 : 0.2)
            try await oneStep()
            await machine.fileSystem.settleListings()
            await unloadAtTimes()
            if machine.cloud.wasEnded { try await restart(isCrash: true) }
            if step % 60 == 59 { try await quiet() }
        }
        if failure == nil { try await quiet() }
        await machine.end()
    }

    func note(_ text: String) {
        let text = text.replacing("..", with: "")
        log.append(text)
        records.add("> " + text)
        if log.count > 400 { log.removeFirst(100) }
    }

    /// The other client has renamed files of these contents. What arrived unheard, as all items of a
    /// cloud without ids, this machine knows by the name alone.
    func noteRenaming(of contents: [[UInt8]]) {
        let arrivals = cloud.unansweredArrivals
        for content in contents
        where addressesByPath || isUnheard(content) || arrivals.contains(content) {
            renamed.insert(String(decoding: content, as: UTF8.self))
        }
        let server = cloud.snapshot().values.compactMap { $0 }
        for content in contents
        where addressesByPath && (isUnsent(content) || server.count { $0 == content } > 1) {
            renamedUnheard.insert(String(decoding: content, as: UTF8.self))
        }
    }

    func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

    func newContent() -> String {
        lastContent += 1
        // Of a size of its own, so that no version passes for another.
        return "c\(lastContent)" + String(repeating: ".", count: lastContent) + ";"
    }

    // MARK: What is known of contents

    func confirm(_ content: String) {
        guard !content.isEmpty else { return }
        required.insert(content)
        gone.remove(content)
    }

    func destroy(_ content: String) {
        guard !content.isEmpty else { return }
        required.remove(content)
        gone.insert(content)
    }

    func forget(_ contents: [String]) {
        required.subtract(contents)
        gone.subtract(contents)
    }

    // MARK: Steps

    private func oneStep() async throws {
        if keepsTimes, chance(12) { return await giveTime() }
        switch Int.random(in: 0..<100, using: &random) {
        case 0..<52: await change()
        case 52..<72: await work(Int.random(in: 1...4, using: &random))
        case 72..<84: changeByOther()
        case 84..<90: await look()
        case 90..<95: injectFault()
        case 95..<97:
            let isCutOff = chance(40)
            note(isCutOff ? "offline" : "online")
            machine.cloud.setCutOff(isCutOff)
        case 97: try await restart(isCrash: true)
        case 98: try await restart(isCrash: false)
        default: await crashInACall()
        }
    }

    private func work(_ most: Int) async {
        for _ in 0..<most {
            guard await machine.fileSystem.carryOutNextJob() else { return }
            await machine.fileSystem.settleListings()
            await unloadAtTimes()
        }
    }

    private func look() async {
        let path = await existingFolder()
        note("look \(path)")
        do throws(FileSystemError) {
            try await machine.fileSystem.refreshAnew(try await machine.node(path))
        } catch {
            note("  \(error.code)")
        }
    }

    /// After one step of eight, and between the jobs of others.
    private func unloadAtTimes() async {
        guard Int.random(in: 0..<8, using: &unloadings) == 0 else { return }
        note("unload")
        await machine.unload()
    }

    private func injectFault() {
        var calls: [ModelCloud.Call] = [
            .list, .item, .upload, .createFolder, .relocate, .delete, .download,
        ]
        if keepsTimes { calls.append(.setModificationTime) }
        let faults: [ModelCloud.Fault] = [
            .before(.unreachable), .before(.temporarilyUnavailable), .answerLost,
        ]
        guard let call = calls.randomElement(using: &random),
            let fault = faults.randomElement(using: &random)
        else { return }
        note("fault \(call) \(fault)")
        cloud.fail(call, skip: Int.random(in: 0..<2, using: &random), fault)
    }

    private func crashInACall() async {
        note("crash in a call")
        let store = machine.store
        let isWritten = chance(60)
        machine.cloud.crash(after: Int.random(in: 0..<12, using: &random)) {
            if isWritten {
                do { _ = try await store.record(.root) } catch { await store.abandon() }
            }
            await store.abandon()
        }
        for _ in 0..<6 where !machine.cloud.wasEnded { await work(1) }
    }

    func restart(isCrash: Bool) async throws {
        note(isCrash ? "crash" : "end")
        if isCrash {
            // What nobody waited for is in the table most times.
            if !machine.cloud.wasEnded, chance(60) { try await machine.flushTable() }
            await machine.crash()
            for file in files { forget(file.unsure + (file.isDirty ? [file.text] : [])) }
            files = []
        } else {
            for index in files.indices.reversed() { await close(index) }
            await machine.end()
        }
        machine = try Machine(
            folder: folder, cloud: cloud, chance: world.chance, logger: logger,
            kernel: kernel, writesNow: writesNow)
        if chance(30) {
            note("  without the server")
            machine.cloud.setCutOff(true)
        }
        try await machine.fileSystem.start()
        await machine.fileSystem.settleListings()
    }
}
