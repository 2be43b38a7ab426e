import CloudStorage
import HTTPTransport
import LeitzCloudAPI

// What the calls of the administrative chapters have in common. Each has the transport's deadline;
// what the server refuses is a `CloudStorageError` with its words.
extension LeitzCloudClient {
    /// The most that one page of a list may have, in bytes.
    private static let maximumPage = 32 << 20

    /// An object or a list that the server has.
    func fetch<Value: Decodable>(
        _ name: String, _ route: String, query: [(String, String)] = []
    ) async throws(CloudStorageError) -> Value {
        var call = HTTPCall(name, .get, url: address.url(route, query: query))
        call.maximumAnswerSize = Self.maximumPage
        // 503 is also what a machine without a status answers: no use in asking again.
        call.repeatsWhenBusy = name != "machine"
        let answer = try await succeeding(call, subject: .other)
        return try AnswerBody.decode(Value.self, from: answer.body)
    }

    func list<Element>(
        _ name: String, _ route: String, from offset: Int64
    ) -> PagedList<Element> {
        PagedList(start: offset) { offset async throws(CloudStorageError) in
            try await self.fetch(name, route, query: [("offset", String(offset))])
        }
    }

    /// A change whose answer says no more than that it was made.
    func change(
        _ name: String, _ route: String, _ fields: [(String, String)] = []
    ) async throws(CloudStorageError) {
        _ = try await post(name, route, fields)
    }

    /// A change whose answer is the object as it is afterwards.
    func changing<Value: Decodable>(
        _ name: String, _ route: String, _ fields: [(String, String)] = []
    ) async throws(CloudStorageError) -> Value {
        let answer = try await post(name, route, fields)
        return try AnswerBody.decode(Value.self, from: answer.body, mayHaveHappened: true)
    }

    private func post(
        _ name: String, _ route: String, _ fields: [(String, String)]
    ) async throws(CloudStorageError) -> HTTPAnswer {
        var call = HTTPCall(name, .post, url: address.url(route))
        call.body = .form(fields)
        call.maximumAnswerSize = Self.maximumPage
        call.repeatsWhenBusy = name != "machine"
        return try await succeeding(call, subject: .other)
    }
}
