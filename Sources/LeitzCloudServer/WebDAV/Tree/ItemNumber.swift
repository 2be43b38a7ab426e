/// The numbers under which the WebDAV face shows items (`oc:fileid`): unique in the server, while
/// files, folders and roots are each counted on their own.
enum ItemNumber {
    static func file(_ id: Int64) -> Int64 { id * 4 }

    /// - Parameter id: of a row of `folders`; negative for a root's top level.
    static func folder(_ id: Int64) -> Int64 { id > 0 ? id * 4 + 1 : -id * 4 + 2 }

    /// The table and the id of the row behind a number.
    static func row(_ number: Int64) -> (table: String, id: Int64) {
        switch number % 4 {
        case 0: ("files", number / 4)
        case 1: ("folders", number / 4)
        default: ("folders", -(number / 4))
        }
    }

    /// `oc:id`: the number with zeros before it and the instance's name behind it.
    static func text(_ number: Int64, instance: String) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 8 - digits.count)) + digits + instance
    }
}
