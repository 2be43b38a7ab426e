import Glibc

/// This machine.
enum LocalHost {
    /// Its name without the domain.
    static var name: String {
        var buffer = [CChar](repeating: 0, count: 256)
        guard gethostname(&buffer, buffer.count - 1) == 0 else { return "localhost" }
        let bytes = buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
        let name = String(decoding: bytes, as: UTF8.self).prefix { $0 != "." }
        return name.isEmpty ? "localhost" : String(name)
    }
}
