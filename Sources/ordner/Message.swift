import Glibc
import MountService

/// What the program says to the person who runs it.
enum Message {
    /// A line on standard output, at once, so that programs that read along see it.
    static func say(_ text: String) { show(text, on: STDOUT_FILENO) }

    /// Why it did not work, and the remedy on the next line.
    static func failure(_ failure: ServiceFailure) {
        let remedy = failure.remedy.map { "\n  " + $0 } ?? ""
        show("ordner: " + failure.message + remedy, on: STDERR_FILENO)
    }

    static func show(_ text: String, on descriptor: Int32) {
        let bytes = Array((text + "\n").utf8)
        // Nobody left to read is no reason to fail.
        _ = write(descriptor, bytes, bytes.count)
    }
}
