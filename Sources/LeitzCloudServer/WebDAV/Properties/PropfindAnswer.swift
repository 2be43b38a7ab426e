import NIOCore

/// Writes the `response` elements of a PROPFIND answer.
struct PropfindAnswer {
    private let live: LiveProperties
    private let request: DAVRequest
    private let wish: PropfindCall.Wish

    init(_ live: LiveProperties, _ request: DAVRequest, _ wish: PropfindCall.Wish) {
        self.live = live
        self.request = request
        self.wish = wish
    }

    func write(_ node: DAVNode, to buffer: inout ByteBuffer) throws {
        buffer.writeStaticString("<d:response>")
        buffer.writeElement("d:href", request.href(node.path, isFolder: node.isFolder))
        var missing: [XMLName] = []
        buffer.writeStaticString("<d:propstat><d:prop>")
        switch wish {
        case .named(let names):
            for name in names where try !write(name, of: node, to: &buffer) {
                missing.append(name)
            }
        case .all:
            for name in LiveProperties.common {
                _ = try live.write(name, of: node, to: &buffer)
            }
            for property in try live.tree.deadProperties(of: node.number) {
                Self.write(property, to: &buffer)
            }
        case .names: try writeNames(of: node, to: &buffer)
        }
        buffer.writeStaticString("</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>")
        if !missing.isEmpty {
            Self.writeStatus("404 Not Found", missing, to: &buffer)
        }
        buffer.writeStaticString("</d:response>")
    }

    private func write(_ name: XMLName, of node: DAVNode, to buffer: inout ByteBuffer) throws
        -> Bool
    {
        if try live.write(name, of: node, to: &buffer) { return true }
        guard !LiveProperties.names.contains(name),
            let value = try live.tree.deadProperty(name, of: node.number)
        else { return false }
        Self.write(DAVTree.DeadProperty(name: name, value: value), to: &buffer)
        return true
    }

    private func writeNames(of node: DAVNode, to buffer: inout ByteBuffer) throws {
        for name in LiveProperties.names.sorted(by: { $0.local < $1.local }) {
            var value = ByteBuffer()
            if try live.write(name, of: node, to: &value) {
                Self.writeEmpty(name, to: &buffer)
            }
        }
        for property in try live.tree.deadProperties(of: node.number) {
            Self.writeEmpty(property.name, to: &buffer)
        }
    }

    /// A `propstat` of properties without values.
    static func writeStatus(_ status: String, _ names: [XMLName], to buffer: inout ByteBuffer) {
        buffer.writeStaticString("<d:propstat><d:prop>")
        for name in names { writeEmpty(name, to: &buffer) }
        buffer.writeStaticString("</d:prop>")
        buffer.writeElement("d:status", "HTTP/1.1 " + status)
        buffer.writeStaticString("</d:propstat>")
    }

    private static func writeEmpty(_ name: XMLName, to buffer: inout ByteBuffer) {
        let (tag, declaration) = tag(name)
        buffer.writeString("<" + tag + declaration + "/>")
    }

    private static func write(_ property: DAVTree.DeadProperty, to buffer: inout ByteBuffer) {
        let (tag, declaration) = tag(property.name)
        if property.value.isEmpty {
            buffer.writeString("<" + tag + declaration + "/>")
            return
        }
        buffer.writeString("<" + tag + declaration + ">" + property.value + "</" + tag + ">")
    }

    /// The tag of a property, and the declaration of its namespace where it needs one.
    private static func tag(_ name: XMLName) -> (tag: String, declaration: String) {
        if let tag = LiveProperties.tag(name) { return (tag, "") }
        if name.namespace.isEmpty { return (name.local, "") }
        var declaration = ByteBuffer()
        declaration.writeStaticString(" xmlns:x1=\"")
        declaration.writeXML(name.namespace)
        declaration.writeStaticString("\"")
        return ("x1:" + name.local, String(buffer: declaration))
    }
}
