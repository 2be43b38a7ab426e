import LeitzCloudServer
import TestSupport
import Testing

extension MountedCloud {
    private static let countedCalls: Set<String> = [
        "POST upload", "POST create_folder", "POST rename", "POST move", "POST delete",
        "GET download",
    ]

    /// Server calls of a script, listing and polling apart, once everything is sent.
    func calls(_ script: String) async throws -> [String: Int] {
        cloud.server.resetRequestCounts()
        try await shell(script)
        try await sync()
        return cloud.server.requestCounts().filter { Self.countedCalls.contains($0.key) }
    }

    /// What came of the last `calls`, for who finds others than expected: every request, in order, and
    /// what the driver has logged since it began.
    func account(of what: String = "") -> Comment {
        let requests = cloud.server.latestRequests().joined(separator: "\n")
        return "\(what)\nRequests:\n\(requests)\nDriver:\n\(driverLog)"
    }
}
