package import CloudStorage
package import LeitzCloudAPI

/// A list that the server gives in pages of up to 100: fetched as it is read, one page in memory.
///
/// A list that changes meanwhile may skip or repeat objects, since the API pages by position.
package struct PagedList<Element: WireObject>: AsyncSequence, Sendable {
    package typealias Failure = CloudStorageError
    typealias Fetch =
        @Sendable (_ offset: Int64) async throws(CloudStorageError) -> WirePage<
            Element
        >

    let start: Int64
    let fetch: Fetch

    /// One page from the list's offset on, with the length of the whole list.
    package func firstPage() async throws(CloudStorageError) -> WirePage<Element> {
        try await fetch(start)
    }

    package func makeAsyncIterator() -> Iterator {
        Iterator(fetch: fetch, offset: start)
    }

    package struct Iterator: AsyncIteratorProtocol {
        package typealias Failure = CloudStorageError

        fileprivate let fetch: Fetch
        fileprivate var offset: Int64
        private var page: [Element] = []
        private var index = 0
        private var isLast = false

        fileprivate init(fetch: @escaping Fetch, offset: Int64) {
            self.fetch = fetch
            self.offset = offset
        }

        package mutating func next() async throws(CloudStorageError) -> Element? {
            try await next(isolation: nil)
        }

        package mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(CloudStorageError) -> Element? {
            if index >= page.count {
                if isLast { return nil }
                try await turn()
                if page.isEmpty { return nil }
            }
            defer { index += 1 }
            return page[index]
        }

        private mutating func turn() async throws(CloudStorageError) {
            let answer = try await fetch(offset)
            if let named = answer.offset, named != offset {
                throw CloudStorageError(
                    .invalidAnswer, "asked for the list from \(offset), got it from \(named)")
            }
            page = answer.results
            index = 0
            offset += Int64(page.count)
            isLast = page.isEmpty || answer.total.map { offset >= $0 } ?? (page.count < 100)
        }
    }
}
