import ArgumentParser
import MountService

extension ByteSize: ExpressibleByArgument {
    package init?(argument: String) { self.init(parsing: argument) }

    /// As `--help` shows a default.
    package var defaultValueDescription: String {
        bytes % (1 << 30) == 0 ? "\(bytes >> 30)G" : "\(bytes)"
    }
}
