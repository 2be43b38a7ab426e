/// How a transport connects, how long it waits and how often it tries.
package struct TransportConfiguration: Sendable {
    /// A PEM file of certificates that are trusted beside the system's.
    package var certificateAuthorityFile: String?
    package var userAgent = "ordner"
    package var connectTimeout = Duration.seconds(10)
    /// From sending a metadata request to the end of its answer.
    package var requestDeadline = Duration.seconds(30)
    /// The longest a connection may stand still in the middle of a transfer.
    package var idleTimeout = Duration.seconds(60)
    package var retry = RetryPolicy()
    package var maximumMetadataRequests = 16
    package var maximumBulkRequests = 16
    package var maximumParcelRequests = 16

    package init() {}
}
