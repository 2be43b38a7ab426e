import LeitzCloudAPI
import NIOCore

/// The records of a zip archive that is written in one pass: entries are stored, their checksums
/// follow behind them (APPNOTE 4.3.9), and sizes over 4 GiB use zip64. A struct without I/O.
struct ZipArchive {
    static let maximumEntries = 1_000_000

    struct Entry {
        /// Relative, `/`-separated; folders end with `/`.
        var name: String
        var size: Int64
        /// Seconds since 1970, UTC.
        var modified: Int64
    }

    private static let limit: Int64 = 0xffff_ffff
    /// Bit 3: data descriptor; bit 11: names are UTF-8.
    private static let flags: UInt16 = 0x0808

    private var directory = ByteBuffer()
    private var entries = 0
    /// Bytes written so far.
    private(set) var offset: Int64 = 0

    /// The header in front of an entry's content.
    mutating func begin(_ entry: Entry) throws(APIError) -> ByteBuffer {
        if entries >= Self.maximumEntries { throw .unknown }
        let isLarge = entry.size >= Self.limit
        var buffer = ByteBuffer()
        buffer.writeLittle(UInt32(0x0403_4b50))
        buffer.writeLittle(UInt16(isLarge ? 45 : 20))
        buffer.writeLittle(Self.flags)
        buffer.writeLittle(UInt16(0))
        buffer.writeLittle(Self.dosTime(entry.modified))
        buffer.writeLittle(UInt32(0))
        buffer.writeLittle(isLarge ? UInt32.max : 0)
        buffer.writeLittle(isLarge ? UInt32.max : 0)
        buffer.writeLittle(UInt16(truncatingIfNeeded: entry.name.utf8.count))
        buffer.writeLittle(UInt16(isLarge ? 20 : 0))
        buffer.writeString(entry.name)
        if isLarge {
            buffer.writeLittle(UInt16(1))
            buffer.writeLittle(UInt16(16))
            buffer.writeLittle(UInt64(0))
            buffer.writeLittle(UInt64(0))
        }
        return buffer
    }

    /// The record behind an entry's content; takes the entry into the directory.
    mutating func end(_ entry: Entry, checksum: UInt32) -> ByteBuffer {
        let isLarge = entry.size >= Self.limit
        var buffer = ByteBuffer()
        buffer.writeLittle(UInt32(0x0807_4b50))
        buffer.writeLittle(checksum)
        if isLarge {
            buffer.writeLittle(UInt64(entry.size))
            buffer.writeLittle(UInt64(entry.size))
        } else {
            buffer.writeLittle(UInt32(entry.size))
            buffer.writeLittle(UInt32(entry.size))
        }
        list(entry, checksum: checksum)
        let header = 30 + entry.name.utf8.count + (isLarge ? 20 : 0)
        offset += Int64(header) + entry.size + Int64(buffer.readableBytes)
        return buffer
    }

    private mutating func list(_ entry: Entry, checksum: UInt32) {
        let isLarge = entry.size >= Self.limit
        let isFar = offset >= Self.limit
        let extra = (isLarge ? 16 : 0) + (isFar ? 8 : 0)
        directory.writeLittle(UInt32(0x0201_4b50))
        // Made on Unix, so that the mode below counts.
        directory.writeLittle(UInt16(3 << 8 | 45))
        directory.writeLittle(UInt16(isLarge || isFar ? 45 : 20))
        directory.writeLittle(Self.flags)
        directory.writeLittle(UInt16(0))
        directory.writeLittle(Self.dosTime(entry.modified))
        directory.writeLittle(checksum)
        directory.writeLittle(isLarge ? UInt32.max : UInt32(entry.size))
        directory.writeLittle(isLarge ? UInt32.max : UInt32(entry.size))
        directory.writeLittle(UInt16(truncatingIfNeeded: entry.name.utf8.count))
        directory.writeLittle(UInt16(extra > 0 ? extra + 4 : 0))
        directory.writeLittle(UInt16(0))
        directory.writeLittle(UInt16(0))
        directory.writeLittle(UInt16(0))
        let mode: UInt32 = entry.name.hasSuffix("/") ? 0o040755 : 0o100644
        directory.writeLittle(mode << 16)
        directory.writeLittle(isFar ? UInt32.max : UInt32(offset))
        directory.writeString(entry.name)
        if extra > 0 {
            directory.writeLittle(UInt16(1))
            directory.writeLittle(UInt16(extra))
            if isLarge {
                directory.writeLittle(UInt64(entry.size))
                directory.writeLittle(UInt64(entry.size))
            }
            if isFar { directory.writeLittle(UInt64(offset)) }
        }
        entries += 1
    }

    /// The directory and the end of the archive.
    func finish() -> ByteBuffer {
        var buffer = directory
        let size = Int64(directory.readableBytes)
        if entries >= 0xffff || offset >= Self.limit || size >= Self.limit {
            writeLargeEnd(size, to: &buffer)
        }
        buffer.writeLittle(UInt32(0x0605_4b50))
        buffer.writeLittle(UInt16(0))
        buffer.writeLittle(UInt16(0))
        let count = UInt16(min(entries, 0xffff))
        buffer.writeLittle(count)
        buffer.writeLittle(count)
        buffer.writeLittle(UInt32(min(size, Self.limit)))
        buffer.writeLittle(UInt32(min(offset, Self.limit)))
        buffer.writeLittle(UInt16(0))
        return buffer
    }

    /// The zip64 end record and its locator.
    private func writeLargeEnd(_ size: Int64, to buffer: inout ByteBuffer) {
        buffer.writeLittle(UInt32(0x0606_4b50))
        buffer.writeLittle(UInt64(44))
        buffer.writeLittle(UInt16(3 << 8 | 45))
        buffer.writeLittle(UInt16(45))
        buffer.writeLittle(UInt32(0))
        buffer.writeLittle(UInt32(0))
        buffer.writeLittle(UInt64(entries))
        buffer.writeLittle(UInt64(entries))
        buffer.writeLittle(UInt64(size))
        buffer.writeLittle(UInt64(offset))
        buffer.writeLittle(UInt32(0x0706_4b50))
        buffer.writeLittle(UInt32(0))
        buffer.writeLittle(UInt64(offset + size))
        buffer.writeLittle(UInt32(1))
    }

    /// Date and time as MS-DOS writes them, in steps of two seconds from 1980 on.
    private static func dosTime(_ seconds: Int64) -> UInt32 {
        let clamped = min(max(seconds, 315_532_800), 4_354_819_198)
        let parts = WireDate.format(clamped).split { "-T:".contains($0) }.compactMap { UInt32($0) }
        guard parts.count == 6 else { return 0 }
        let date = (parts[0] - 1980) << 9 | parts[1] << 5 | parts[2]
        return date << 16 | parts[3] << 11 | parts[4] << 5 | parts[5] / 2
    }
}

extension ByteBuffer {
    fileprivate mutating func writeLittle(_ value: some FixedWidthInteger) {
        writeInteger(value, endianness: .little)
    }
}
