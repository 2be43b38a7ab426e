/// Names that a server hands out in pages, one after the other: as many users as there may be need
/// the memory of one page.
package struct ProvisioningPages: AsyncSequence, Sendable {
    package typealias Element = String
    package typealias Failure = ProvisioningError
    typealias Page = @Sendable (Int, Int) async throws(ProvisioningError) -> [String]

    private let size: Int
    private let page: Page

    init(size: Int, _ page: @escaping Page) {
        self.size = Swift.max(1, size)
        self.page = page
    }

    package func makeAsyncIterator() -> Iterator { Iterator(size: size, page: page) }

    /// Asks for the next page when the last has been used up.
    package struct Iterator: AsyncIteratorProtocol {
        private let size: Int
        private let page: Page
        private var names: ArraySlice<String> = []
        /// The first name of the page before.
        private var first: String?
        private var offset = 0
        private var isLast = false

        init(size: Int, page: @escaping Page) {
            self.size = size
            self.page = page
        }

        /// - Throws: `invalidAnswer` where the server answers every page with the same.
        package mutating func next() async throws(ProvisioningError) -> String? {
            try await next(isolation: nil)
        }

        package mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(ProvisioningError) -> String? {
            if names.isEmpty, !isLast {
                let names = try await page(size, offset)
                if let first, first == names.first {
                    throw ProvisioningError(.invalidAnswer, "the server's pages are all the same")
                }
                first = names.first
                offset += names.count
                // A server that does not know of pages answers all at once.
                isLast = names.count != size
                self.names = names[...]
            }
            return names.popFirst()
        }
    }
}

extension ProvisioningClient {
    /// All users, page by page. Those who come or go meanwhile may be missed or told twice.
    package func allUsers(search: String? = nil, pageSize: Int = 500) -> ProvisioningPages {
        ProvisioningPages(size: pageSize) { limit, offset throws(ProvisioningError) in
            try await self.users(search: search, limit: limit, offset: offset)
        }
    }

    /// All groups, page by page.
    package func allGroups(search: String? = nil, pageSize: Int = 500) -> ProvisioningPages {
        ProvisioningPages(size: pageSize) { limit, offset throws(ProvisioningError) in
            try await self.groups(search: search, limit: limit, offset: offset)
        }
    }
}
