import Logging

/// The log of long-running commands: lines on standard error.
package enum DriverLog {
    /// Call it once, before anything logs.
    package static func start() {
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
    }
}
