import HTTPTransport

// Source: ownCloud's document, "Apps".
extension ProvisioningClient {
    /// The ids of the server's apps.
    /// - Parameter filter: nil for all.
    package func apps(_ filter: AppFilter? = nil) async throws(ProvisioningError) -> [String] {
        var call = ProvisioningCall("apps", .get, "apps")
        call.codes = [101: .invalidInput]
        if let filter { call.query = [("filter", filter.rawValue)] }
        return try Self.texts(try await data(of: call), "apps")
    }

    /// - Throws: `noSuchApp`.
    package func app(_ id: String) async throws(ProvisioningError) -> ProvisionedApp {
        var call = ProvisioningCall("app", .get, "apps", id)
        call.missing = .noSuchApp
        return ProvisionedApp(id: id, try await data(of: call))
    }

    /// Turns an app on or off for everybody.
    /// - Throws: `noSuchApp`; `invalidAnswer` where ownCloud answers nothing for one.
    package func setEnabled(app id: String, _ isEnabled: Bool) async throws(ProvisioningError) {
        var call = ProvisioningCall(
            isEnabled ? "app-enable" : "app-disable", isEnabled ? .post : .delete, "apps", id)
        call.missing = .noSuchApp
        _ = try await data(of: call)
    }
}

extension ProvisioningClient {
    /// The arguments of a list that comes in pages.
    static func page(_ search: String?, _ limit: Int?, _ offset: Int) -> [(String, String)] {
        var query: [(String, String)] = []
        if let search, !search.isEmpty { query.append(("search", search)) }
        if let limit { query.append(("limit", String(limit))) }
        if limit != nil || offset > 0 { query.append(("offset", String(offset))) }
        return query
    }

    /// The texts of a list that is the answer itself, or its member of that name.
    static func texts(_ node: OCSNode, _ name: String?) throws(ProvisioningError) -> [String] {
        let list = name.flatMap { node[$0] } ?? (name == nil ? node : .empty)
        guard let texts = list.texts else {
            throw ProvisioningError(.invalidAnswer, "the answer is not what OCS promises")
        }
        return texts
    }
}
