import Metrics

/// Counts and times requests by kind.
///
/// - `ordner_cloud_requests_total` (count; dimensions `call`, `outcome`: the status or the error)
/// - `ordner_cloud_request_seconds` (timer; dimension `call`): one attempt, from its place in the
///   queue to the end of its answer
/// - `ordner_cloud_retries_total` (count; dimension `call`)
struct TransportMetrics: Sendable {
    func attempt(_ call: HTTPCall, outcome: String, took: Duration) {
        Counter(
            label: "ordner_cloud_requests_total",
            dimensions: [("call", call.name), ("outcome", outcome)]
        ).increment()
        let (seconds, attoseconds) = took.components
        Timer(label: "ordner_cloud_request_seconds", dimensions: [("call", call.name)])
            .recordNanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
    }

    func retry(_ call: HTTPCall) {
        Counter(label: "ordner_cloud_retries_total", dimensions: [("call", call.name)]).increment()
    }
}
