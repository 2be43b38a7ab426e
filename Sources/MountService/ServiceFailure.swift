import Glibc

/// Why a command could not do its work, in words for the person who typed it.
package struct ServiceFailure: Error, Sendable, Equatable, CustomStringConvertible {
    /// What went wrong; never a secret.
    package let message: String
    /// What to do about it, where something can be done.
    package let remedy: String?

    package init(_ message: String, remedy: String? = nil) {
        self.message = message
        self.remedy = remedy
    }

    package var description: String {
        remedy.map { "\(message)\n\($0)" } ?? message
    }

    /// A failed system call: `can't ACTION: No such file or directory`.
    static func system(_ action: String, code: Int32 = errno) -> ServiceFailure {
        ServiceFailure("can't \(action): \(String(cString: strerror(code)))")
    }
}
