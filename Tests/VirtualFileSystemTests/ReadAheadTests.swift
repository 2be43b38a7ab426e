import CloudStorage
import FileSystemTypes
import TestSupport
import Testing

import VirtualFileSystem

/// What is on this machine before a program asks for it.
@Suite struct ReadAheadTests {
    /// Opens a folder; returns whether the program had to wait for the server.
    private func waits(for path: String, _ fixture: Fixture) async throws -> Bool {
        let outcome = fixture.fileSystem.opendir(node: try await fixture.node(path))
        var waited = false
        if case .pending = outcome { waited = true }
        fixture.fileSystem.releasedir(handle: try await outcome.value().handle)
        await fixture.fileSystem.settleReadAhead()
        return waited
    }

    /// Reads a file from its beginning; returns whether the program had to wait for the server.
    private func waits(forFile path: String, _ fixture: Fixture) async throws -> Bool {
        let handle = try await fixture.open(path, [.read])
        await fixture.fileSystem.settleReadAhead()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 8)
        defer { buffer.deallocate() }
        var waited = false
        if case .later = fixture.fileSystem.readNow(handle: handle, offset: 0, into: buffer) {
            waited = true
        }
        #expect(try await fixture.read(handle: handle) == "content of \(path)")
        try await fixture.close(handle)
        return waited
    }

    /// Three digits, so that names have the order of numbers.
    private func name(_ index: Int) -> String { String(String(1_000 + index).dropFirst()) }

    @Test(arguments: [ModelCloud(), ModelCloud.addressingByPath()])
    func aWalkThroughATreeWaitsSeldom(_ cloud: ModelCloud) async throws {
        for index in 0..<200 {
            cloud.makeFolderByOther(at: "/d\(name(index))")
            cloud.storeByOther([1], at: "/d\(name(index))/file")
        }
        cloud.makeFolderByOther(at: "/d100/inner")
        cloud.makeFolderByOther(at: "/d100/inner/most")
        let fixture = try await Fixture.make(cloud: cloud)
        await fixture.fileSystem.settleReadAhead()
        #expect(cloud.count(of: .list) == 16, "what is near the top, before anybody asks")
        var waits = try await waits(for: "/", fixture) ? 1 : 0
        for index in 0..<200 {
            if try await self.waits(for: "/d\(name(index))", fixture) { waits += 1 }
            guard index == 100 else { continue }
            if try await self.waits(for: "/d100/inner", fixture) { waits += 1 }
            if try await self.waits(for: "/d100/inner/most", fixture) { waits += 1 }
        }
        #expect(waits == 0)
        #expect(cloud.count(of: .list) == 203, "every folder once")
        await fixture.end()
    }

    @Test func someFoldersOfATreeListOnlyAFewOthers() async throws {
        let cloud = ModelCloud()
        for index in 0..<200 {
            cloud.makeFolderByOther(at: "/d\(name(index))")
            cloud.makeFolderByOther(at: "/d\(name(index))/inner")
        }
        let fixture = try await Fixture.make(cloud: cloud)
        await fixture.fileSystem.settleReadAhead()
        cloud.resetCounts()
        // Folders that a program names are looked up, and not walked to.
        for index in stride(from: 5, to: 200, by: 31) {
            _ = try await waits(for: "/d\(name(index))/inner", fixture)
        }
        #expect(cloud.count(of: .list) == 2 * 7 - 1, "one of them was listed with the top")
        await fixture.end()
    }

    @Test(arguments: [ModelCloud(), ModelCloud.addressingByPath()])
    func smallFilesReadInOrderAreThere(_ cloud: ModelCloud) async throws {
        for index in 0..<100 {
            let path = "/f\(name(index))"
            cloud.storeByOther(Array("content of \(path)".utf8), at: path)
        }
        let fixture = try await Fixture.make(cloud: cloud)
        _ = try await fixture.names("/")
        cloud.resetCounts()
        var waits = 0
        for index in 0..<100 {
            if try await self.waits(forFile: "/f\(name(index))", fixture) { waits += 1 }
        }
        #expect(waits == 2, "for the first, and for the second, which shows the order")
        #expect(cloud.count(of: .download) == 100, "every file once")
        await fixture.end()
    }

    @Test func filesReadWithoutOrderFetchNoOthers() async throws {
        let cloud = ModelCloud()
        for index in 0..<100 {
            let path = "/f\(name(index))"
            cloud.storeByOther(Array("content of \(path)".utf8), at: path)
        }
        let fixture = try await Fixture.make(cloud: cloud)
        _ = try await fixture.names("/")
        cloud.resetCounts()
        for index in [10, 50, 20, 30, 90, 40, 60] {
            #expect(try await waits(forFile: "/f\(name(index))", fixture))
        }
        #expect(cloud.count(of: .download) == 7)
        await fixture.end()
    }

    @Test func largeFilesAreNotFetchedAhead() async throws {
        let cloud = ModelCloud()
        for index in 0..<10 {
            cloud.storeByOther([UInt8](repeating: 7, count: (1 << 20) + 1), at: "/f\(index)")
        }
        let fixture = try await Fixture.make(cloud: cloud)
        _ = try await fixture.names("/")
        cloud.resetCounts()
        for index in 0..<3 {
            let handle = try await fixture.open("/f\(index)", [.read])
            _ = try await fixture.read(handle: handle, count: 2 << 20)
            try await fixture.close(handle)
        }
        await fixture.fileSystem.settleReadAhead()
        #expect(cloud.count(of: .download) == 3)
        await fixture.end()
    }

    /// Failures of what nobody has asked for yet are nobody's.
    @Test func whatCannotBeFetchedAheadIsAskedForAgain() async throws {
        let cloud = ModelCloud()
        for index in 0..<20 {
            let path = "/f\(name(index))"
            cloud.storeByOther(Array("content of \(path)".utf8), at: path)
        }
        let fixture = try await Fixture.make(cloud: cloud)
        _ = try await fixture.names("/")
        for index in 0..<20 {
            for skip in [1, 2, 3] { cloud.fail(.download, skip: skip, .before(.unreachable)) }
            let handle = try await fixture.open("/f\(name(index))", [.read])
            await fixture.fileSystem.settleReadAhead()
            cloud.removeFaults()
            #expect(try await fixture.read(handle: handle) == "content of /f\(name(index))")
            try await fixture.close(handle)
        }
        await fixture.end()
    }
}
