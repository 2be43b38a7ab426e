import Crypto

/// Random tokens, and the form in which they are kept: their hash.
enum TokenHash {
    /// 256 random bits as 64 hex digits.
    static func random(bytes: Int = 32) -> String {
        var generator = SystemRandomNumberGenerator()
        return hex((0..<bytes).map { _ in UInt8.random(in: .min ... .max, using: &generator) })
    }

    /// The stored form. A token has 256 random bits, so that a plain hash can't be turned back.
    static func hash(_ token: String) -> String { hex(SHA256.hash(data: Array(token.utf8))) }

    static func hex(_ bytes: some Sequence<UInt8>) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        for byte in bytes {
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }
}
