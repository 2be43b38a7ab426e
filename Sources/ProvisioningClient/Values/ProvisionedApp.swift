/// Which apps are listed.
package enum AppFilter: String, Sendable, CaseIterable {
    case enabled
    case disabled
}

/// What a server says of one of its apps.
package struct ProvisionedApp: Sendable, Hashable {
    package var id: String
    package var name: String?
    package var description: String?
    package var licence: String?
    package var author: String?
    /// The version of the server it needs.
    package var require: String?
    package var version: String?
    package var isShipped: Bool?
    package var types: [String]
    /// The remote entry points by name.
    package var remote: [String: String]

    /// Reads the `data` of `cloud/apps/{appid}`.
    init(id: String, _ node: OCSNode) {
        self.id = node["id"]?.filledText ?? id
        name = node["name"]?.filledText
        description = node["description"]?.filledText
        licence = node["licence"]?.filledText ?? node["license"]?.filledText
        author = node["author"]?.filledText ?? node["author"]?.texts?.joined(separator: ", ")
        require = node["require"]?.filledText ?? node["requiremin"]?.filledText
        version = node["version"]?.filledText
        isShipped = node["shipped"]?.flag
        types = node["types"]?.texts ?? []
        var remote: [String: String] = [:]
        for member in node["remote"]?.members ?? [] {
            if let text = member.value.text { remote[member.name] = text }
        }
        self.remote = remote
    }
}
