import CloudStorage
import FileSystemTypes
import StateStore

/// A generator whose sequence depends on its seed only.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

/// Records with the values that are most likely to be stored wrongly.
enum RandomState {
    static let oddStrings = [
        "a", "Bericht.docx", "é", "e\u{301}", "Ångström", "A\u{30A}ngstro\u{308}m", "日本語", "👩‍👩‍👧‍👦🇩🇪",
        " leading and trailing ", "new\nline", "tab\there", "quote'\"`;--", "100%_",
        "\\back\\slash",
        "\u{FEFF}bom", "\u{202E}rtl", "a\u{0}b", "", String(repeating: "ü", count: 127),
        "\u{10FFFF}",
        "1", "1.0", "null", "[\"json\"]",
    ]

    static func string(_ random: inout SeededGenerator) -> String {
        let first = oddStrings.randomElement(using: &random) ?? ""
        guard Bool.random(using: &random) else { return first }
        return first + String(UInt64.random(in: 0...9999, using: &random))
    }

    static func time(_ random: inout SeededGenerator) -> FileTime {
        let seconds: [Int64] = [
            0, -1, 1_700_000_000, 9_223_372_036, 9_223_372_037, -9_223_372_037, 32_503_680_000,
            .max, .min, Int64.random(in: .min ... .max, using: &random),
        ]
        let rests: [Int32] = [0, 1, 999_999_999, 500_000_000]
        return FileTime(
            seconds: seconds.randomElement(using: &random) ?? 0,
            nanoseconds: rests.randomElement(using: &random) ?? 0)
    }

    static func record(_ inode: UInt64, _ random: inout SeededGenerator) -> InodeRecord {
        var record = InodeRecord(
            inode: InodeNumber(inode), parent: InodeNumber(.random(in: 1...9, using: &random)),
            name: string(&random),
            kind: FileKind(rawValue: .random(in: 0...2, using: &random)) ?? .file)
        if Bool.random(using: &random) {
            record.server = ServerSide(
                reference: ItemReference(
                    root: RootIdentifier(string(&random)),
                    kind: ItemReference.Kind(rawValue: .random(in: 0...2, using: &random)) ?? .file,
                    id: optional(&random, string), path: string(&random)),
                revision: optional(&random, string),
                size: .random(in: .min ... .max, using: &random),
                modified: optional(&random, time),
                permissions: ItemPermissions(rawValue: .random(in: 0...255, using: &random)),
                isLocked: .random(using: &random))
        }
        record.overlay = LocalOverlay(
            mode: optional(&random) { .random(in: 0...0o7777, using: &$0) },
            userID: optional(&random) { .random(in: 0 ... .max, using: &$0) },
            groupID: optional(&random) { .random(in: 0 ... .max, using: &$0) },
            modified: optional(&random, time), changed: optional(&random, time),
            accessed: optional(&random, time), revision: optional(&random, string))
        record.symlinkTarget = optional(&random, string)
        record.isLocalOnly = .random(using: &random)
        record.contentFile = optional(&random, string)
        record.size = optional(&random) { .random(in: 0 ... .max, using: &$0) }
        record.missingContent = (0..<Int64.random(in: 0...3, using: &random)).map {
            ByteRange($0 * 10, $0 * 10 + .random(in: 0...9, using: &random))
        }
        record.serverPlace = optional(&random) {
            RecordedPlace(parent: InodeNumber(.random(in: 1...9, using: &$0)), name: string(&$0))
        }
        record.isRemoved = .random(using: &random)
        record.listingValidator = optional(&random, string)
        record.isListed = .random(using: &random)
        return record
    }

    static func optional<Value>(
        _ random: inout SeededGenerator, _ make: (inout SeededGenerator) -> Value
    ) -> Value? {
        Bool.random(using: &random) ? make(&random) : nil
    }
}

extension InodeRecord {
    /// The bytes of every string, which `==` on `String` does not compare.
    var stringBytes: [[UInt8]?] {
        [
            name, server?.reference.root.rawValue, server?.reference.id, server?.reference.path,
            server?.revision, overlay.revision, symlinkTarget, contentFile, listingValidator,
        ].map { $0.map { Array($0.utf8) } }
    }

    /// A file of the server.
    static func file(
        _ inode: InodeNumber, parent: InodeNumber = .root, id: String? = nil
    ) -> InodeRecord {
        InodeRecord(
            inode: inode, parent: parent, name: "file-\(inode).txt", kind: .file,
            server: ServerSide(
                reference: ItemReference(
                    root: RootIdentifier("r"), kind: .file, id: id ?? "\(inode)",
                    path: "/file-\(inode).txt"),
                revision: "1", size: 4096, modified: FileTime(seconds: 1_700_000_000)))
    }
}
