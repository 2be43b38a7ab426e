/// The name of an element or attribute: a namespace, empty for none, and a local name.
struct XMLName: Hashable, Sendable {
    static let webDAV = "DAV:"
    static let ownCloud = "http://owncloud.org/ns"
    static let nextcloud = "http://nextcloud.org/ns"

    var namespace: String
    var local: String

    init(_ namespace: String, _ local: String) {
        self.namespace = namespace
        self.local = local
    }

    /// A name of RFC 4918.
    static func dav(_ local: String) -> XMLName { XMLName(webDAV, local) }
}

/// An element of a request's body, with everything in it.
struct XMLElement: Sendable {
    enum Content: Sendable {
        case element(XMLElement)
        case text(String)
    }

    var name: XMLName
    var attributes: [(name: XMLName, value: String)] = []
    var contents: [Content] = []

    init(_ name: XMLName) { self.name = name }

    /// The elements directly in this one.
    var children: [XMLElement] {
        contents.compactMap { if case .element(let element) = $0 { element } else { nil } }
    }

    func child(_ local: String) -> XMLElement? { children.first { $0.name == .dav(local) } }

    /// All text directly in the element.
    var text: String {
        contents.reduce(into: "") { if case .text(let text) = $1 { $0 += text } }
    }
}
