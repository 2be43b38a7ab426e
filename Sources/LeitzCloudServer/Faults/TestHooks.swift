import FoundationEssentials
import HTTPTypes
import HummingbirdCore
import NIOCore

/// `/_test/faults` and `/_test/counts`, served where the configuration asks for them.
struct TestHooks: Sendable {
    private static let maximumBody = 1_048_576

    let services: CloudServices

    func run(_ request: Request, _ call: Route.Call) async throws -> Response {
        guard services.hasTestHooks else { throw APIError.notFound }
        switch (call, request.method) {
        case (.testFaults, .get): return try Response(json: services.faults.remaining)
        case (.testFaults, .delete): services.faults.removeAll()
        case (.testFaults, .post):
            for rule in try await rules(request) { services.faults.add(rule) }
        case (.testCounts, .get): return try Response(json: services.counts.all)
        case (.testCounts, .delete): services.counts.reset()
        default: throw APIError.notFound
        }
        return try Response.ok()
    }

    /// A JSON list of rules, or a single one.
    private func rules(_ request: Request) async throws -> [FaultRule] {
        let body = try await BodyPieces.collect(request, limit: Self.maximumBody)
        let data = Data(body.readableBytesView)
        let decoder = JSONDecoder()
        do {
            return body.readableBytesView.first == UInt8(ascii: "[")
                ? try decoder.decode([FaultRule].self, from: data)
                : [try decoder.decode(FaultRule.self, from: data)]
        } catch {
            throw APIError.malformedBody
        }
    }
}
