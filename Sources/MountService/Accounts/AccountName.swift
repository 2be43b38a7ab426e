/// The local name of an account, which also names its folders.
package struct AccountName: Hashable, Sendable, CustomStringConvertible {
    package let rawValue: String

    /// Letters, digits, `.`, `_` and `-`, at most 64, beginning with a letter or digit.
    package init(_ rawValue: String) throws(ServiceFailure) {
        let allowed = rawValue.utf8.allSatisfy {
            switch UInt8($0) {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard allowed, (1...64).contains(rawValue.utf8.count), rawValue.first != ".",
            rawValue.first != "-", rawValue.first != "_"
        else {
            throw ServiceFailure(
                "'\(rawValue)' can't name an account",
                remedy: "Use up to 64 letters, digits, '.', '_' and '-', a letter or digit first.")
        }
        // The state folder keeps its sockets under this name.
        guard rawValue != "run" else {
            throw ServiceFailure("the account name 'run' is taken", remedy: "Choose another name.")
        }
        self.rawValue = rawValue
    }

    package var description: String { rawValue }
}
