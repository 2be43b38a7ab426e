import FileSystemTypes
import Foundation
import TestSupport
import Testing

@testable import BlockCache

@Suite struct AdoptionTests {
    @Test func anAdoptedFileIsCompleteAndSurvivesARestart() async throws {
        let fixture = try CacheFixture(size: 100_001)
        var cache = try fixture.open()
        let path = try fixture.folder.write(fixture.bytes, to: "upload")
        try cache.adopt(file: path, as: CacheFixture.key(), size: 100_001)
        #expect(!FileManager.default.fileExists(atPath: path))
        #expect(cache.usage.bytes == 100_001)
        var content = try fixture.content(in: cache)
        #expect(content.isVerified)
        #expect(try read(content, 0..<100_001) == fixture.bytes)
        content.release()
        cache.close()

        cache = try fixture.open()
        content = try fixture.content(in: cache)
        #expect(content.isComplete)
        #expect(try read(content, 0..<100_001) == fixture.bytes)
        #expect(fixture.cloud.requests.isEmpty)
        content.release()
        cache.close()
    }

    @Test func anotherSizeIsRefusedAndLeftAlone() throws {
        let fixture = try CacheFixture(size: 100)
        let cache = try fixture.open()
        let path = try fixture.folder.write(fixture.bytes, to: "upload")
        #expect(throws: FileSystemError.self) {
            try cache.adopt(file: path, as: CacheFixture.key(), size: 101)
        }
        #expect(FileManager.default.fileExists(atPath: path))
        #expect(cache.usage.entries == 0)
        cache.close()
        #expect(try fixture.folder.files("").isEmpty)
    }

    @Test func aFileOfAnotherFileSystemIsCopied() async throws {
        let path = "/dev/shm/ordner-cache-\(UUID().uuidString)"
        let fixture = try CacheFixture(size: 100_001)
        try Data(fixture.bytes).write(to: URL(fileURLWithPath: path))
        let cache = try fixture.open()
        try cache.adopt(file: path, as: CacheFixture.key(), size: 100_001)
        #expect(!FileManager.default.fileExists(atPath: path))
        let content = try fixture.content(in: cache)
        #expect(try read(content, 0..<100_001) == fixture.bytes)
        content.release()
        cache.close()
    }

    @Test func itTakesThePlaceOfAnIncompleteContent() async throws {
        let fixture = try CacheFixture(size: 100_000) { $0.supportsRanges = true }
        let cache = try fixture.open()
        let old = try fixture.content(in: cache)
        try await fixture.check(old, 50_000..<50_010)
        let path = try fixture.folder.write(fixture.bytes, to: "upload")
        try cache.adopt(file: path, as: CacheFixture.key(), size: 100_000)
        #expect(try read(old, 50_000..<50_010) == Array(fixture.bytes[50_000..<50_010]))
        old.release()
        #expect(cache.usage.bytes == 100_000)
        let new = try fixture.content(in: cache)
        #expect(new.isComplete)
        new.release()
        cache.close()
        #expect(try fixture.folder.files(".data").count == 1)
    }

    @Test func copiesRangesToAnotherFile() async throws {
        let fixture = try CacheFixture(size: 100_000) { $0.supportsRanges = true }
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        try await fixture.check(content, 10_000..<60_000)
        let path = try fixture.folder.write([UInt8](repeating: 9, count: 100), to: "copy")
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try content.copy(ByteRange(10_000, 60_000), to: file.fileDescriptor, at: 100)
        #expect(throws: FileSystemError.self) {
            try content.copy(ByteRange(10_000, 90_000), to: file.fileDescriptor, at: 0)
        }
        try file.close()
        let copied = try Data(contentsOf: URL(fileURLWithPath: path))
        #expect(Array(copied) == [UInt8](repeating: 9, count: 100) + fixture.bytes[10_000..<60_000])
        content.release()
        cache.close()
    }

    @Test func seeksDataAndHoles() async throws {
        let fixture = try CacheFixture(size: 100_000)
        let cache = try fixture.open()
        let content = try fixture.content(in: cache)
        #expect(try content.seek(offset: 5, data: true) == 5)
        #expect(try content.seek(offset: 5, data: false) == 100_000)
        try await fixture.check(content, 0..<100_000)
        #expect(try content.seek(offset: 5, data: true) == 5)
        #expect(try content.seek(offset: 5, data: false) == 100_000)
        #expect(throws: FileSystemError.self) { try content.seek(offset: 100_000, data: true) }
        content.release()
        cache.close()
    }
}
