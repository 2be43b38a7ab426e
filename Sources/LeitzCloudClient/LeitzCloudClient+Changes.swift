package import CloudStorage
import FoundationEssentials
import HTTPTransport
import LeitzCloudAPI
import Synchronization

// Source: API v2, "Liste zuletzt geänderten Dateien".
extension LeitzCloudClient {
    private static let maximumPages = 1_000

    /// Files only: the API tells of no folders, so their names are found by listing. Permissions
    /// are not part of the answer; items come with all of them.
    package func changes(
        in root: RootIdentifier, since cursor: String?
    ) async throws(CloudStorageError) -> ChangePage {
        guard let cursor else {
            let call = HTTPCall("version", .get, url: address.url(APIRoute.version))
            let answer = try await transport.send(call)
            return ChangePage(items: [], cursor: ChangeWindow.cursor(at: serverTime(of: answer)))
        }
        guard let start = ChangeWindow.start(after: cursor) else {
            throw CloudStorageError(.invalidRequest, "the cursor is not one of this client")
        }
        var results: [ListingAnswer.Entry] = []
        var end: Int64?
        for _ in 0..<Self.maximumPages {
            let answer = try await changesAnswer(in: root, since: start, offset: results.count)
            let page = try AnswerBody.decode(ChangesAnswer.self, from: answer.body)
            end = end ?? serverTime(of: answer)
            results += page.results
            guard let total = page.total, results.count < total, !page.results.isEmpty else {
                break
            }
        }
        let items = checkedChanges(results.compactMap(\.item), root: root)
        let next = max(end ?? start, start + ChangeWindow.overlap)
        return ChangePage(
            items: state.withLock { $0.newChanges(items, in: root) },
            cursor: ChangeWindow.cursor(at: next))
    }

    private struct ChangesAnswer: Decodable {
        var results: [ListingAnswer.Entry]
        var total: Int?
    }

    private func changesAnswer(
        in root: RootIdentifier, since seconds: Int64, offset: Int
    ) async throws(CloudStorageError) -> HTTPAnswer {
        let withSpace = state.withLock { $0.writesDatesWithSpace }
        let answer = try await changesAnswer(
            in: root, since: Self.dateText(seconds, withSpace: withSpace), offset: offset)
        if answer.isSuccess { return answer }
        let error = AnswerErrors.error(for: answer, of: .other)
        guard !withSpace, answer.status == 400,
            error.message.contains(ErrorWord.invalidDatetimeFormat.rawValue)
        else { throw error }
        let second = try await changesAnswer(
            in: root, since: Self.dateText(seconds, withSpace: true), offset: offset)
        guard second.isSuccess else { throw AnswerErrors.error(for: second, of: .other) }
        state.withLock { $0.writesDatesWithSpace = true }
        return second
    }

    private func changesAnswer(
        in root: RootIdentifier, since text: String, offset: Int
    ) async throws(CloudStorageError) -> HTTPAnswer {
        var query = [("since", text), ("include_deleted", "true")]
        if offset > 0 { query.append(("offset", String(offset))) }
        let route = APIRoute.item(try itemAddress(.top(of: root)), method: "modified_since")
        var call = HTTPCall("changes", .get, url: address.url(route, query: query))
        call.maximumAnswerSize = 256 << 20
        return try await authorized(call)
    }

    private func checkedChanges(_ wire: [WireItem], root: RootIdentifier) -> [CloudItem] {
        var checks = checks(for: root)
        let items = wire.map { checks.item($0, in: nil) }
        report(checks.findings, in: root)
        return state.withLock { state in items.map { state.named($0) } }
    }

    /// The server's clock, or ours where it does not tell.
    private func serverTime(of answer: HTTPAnswer) -> Int64 {
        answer.header("Date").flatMap(HTTPDate.isoText).flatMap(WireDate.parse) ?? options.now()
    }

    private static func dateText(_ seconds: Int64, withSpace: Bool) -> String {
        let text = WireDate.format(seconds)
        return withSpace ? text.split(separator: "T").joined(separator: " ") : text
    }
}
