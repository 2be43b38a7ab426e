import MountService
import Testing

@Suite struct ByteSizeTests {
    /// What is written, a number, and by how many binary digits it is shifted.
    private static let sizes: [(String, Int64, Int64)] = [
        ("0", 0, 0), ("1", 1, 0), ("500M", 500, 20), ("10G", 10, 30), ("2T", 2, 40), ("7k", 7, 10),
        ("7b", 7, 0), ("7 B", 7, 0), ("3KB", 3, 10), ("3 KiB", 3, 10), ("1.5G", 3, 29),
        ("0.25m", 1, 18), ("1.000001K", 1, 10), ("9223372036854775807", Int64.max, 0),
        ("8388607T", 8_388_607, 40),
    ]

    private static let others: [String] = [
        "8388608T", "9223372036854775808", "8191P", "", " ", "K", "B", "iB", "5iB", "-1", "+1",
        "1.5", ".5G", "1.G", "1..5G", "1,5G", "1G5", "1  G", " 1G", "1e3", "0x10", "much", "١G",
        "1KK", "1.-5K",
    ]

    @Test(arguments: sizes)
    func sizesAreReadAsPeopleWriteThem(text: String, number: Int64, shift: Int64) {
        #expect(ByteSize(parsing: text)?.bytes == number << shift)
    }

    @Test(arguments: others)
    func whatIsNoSizeIsRefused(text: String) {
        #expect(ByteSize(parsing: text) == nil)
    }

    private static let texts: [(Int64, String)] = [
        (0, "0 bytes"), (1023, "1023 bytes"), (1024, "1.0 KB"), (1_572_864, "1.5 MB"),
        (10_737_418_240, "10.0 GB"), (3_298_534_883_328, "3.0 TB"),
        (5_497_558_138_880_000, "5000.0 TB"),
    ]

    @Test(arguments: texts)
    func sizesAreWrittenWithOneDecimal(bytes: Int64, text: String) {
        #expect(ByteSize.text(bytes) == text)
    }
}
