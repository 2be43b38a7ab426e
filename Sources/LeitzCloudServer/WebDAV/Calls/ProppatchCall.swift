import GRDB
import HummingbirdCore
import LeitzCloudAPI
import NIOCore

/// PROPPATCH (RFC 4918 section 9.2): all changes or none.
struct ProppatchCall: Sendable {
    /// Set with seconds since 1970; `getlastmodified` can't be set, as with Nextcloud.
    static let lastModified = XMLName.dav("lastmodified")
    private static let creationTime = XMLName(XMLName.nextcloud, "creation_time")

    /// A property to set, or to remove where there is no value.
    private struct Change: Sendable {
        var name: XMLName
        /// The text alone, for what the server itself knows.
        var text: String
        /// As XML; nil to remove.
        var value: String?
    }

    let services: CloudServices
    let context: CallContext
    let request: DAVRequest

    func run(_ body: ByteBuffer) async throws -> Response {
        let changes = try Self.changes(body)
        let (request, context) = (request, context)
        let answer = try await services.database.write { db in
            let tree = try DAVTree(db, request.caller, context)
            let node = try tree.node(request.path)
            try tree.check(request)
            try tree.checkLocks(on: node, tokens: request.tokens)
            _ = try tree.tree.writableRoot(node.root.id)
            let refused = changes.filter { !Self.isPossible($0, of: node) }.map(\.name)
            if refused.isEmpty {
                for change in changes { try Self.make(change, of: node, tree) }
                try Tree.markTrees(db, from: node.chain.folder.id, now: tree.now)
            }
            return Self.answer(request.href(node.path, isFolder: node.isFolder), changes, refused)
        }
        return PropfindCall.response(ResponseBody(byteBuffer: answer))
    }

    private static func changes(_ body: ByteBuffer) throws(DAVError) -> [Change] {
        let root = try XMLElement.parse(body)
        guard root.name == .dav("propertyupdate") else {
            throw .badRequest("the body is no propertyupdate element")
        }
        var changes: [Change] = []
        for step in root.children {
            let isSet = step.name == .dav("set")
            guard isSet || step.name == .dav("remove") else { continue }
            for property in step.children.filter({ $0.name == .dav("prop") }).flatMap(\.children) {
                var value = ByteBuffer()
                value.writeXML(property.contents)
                changes.append(
                    Change(
                        name: property.name, text: property.text,
                        value: isSet ? String(buffer: value) : nil))
            }
        }
        return changes
    }

    private static func isPossible(_ change: Change, of node: DAVNode) -> Bool {
        switch change.name {
        case lastModified: change.value != nil && seconds(change.text) != nil
        case creationTime: change.value != nil && seconds(change.text) != nil && !node.isFolder
        default: !LiveProperties.names.contains(change.name)
        }
    }

    /// A time that a file may have: from 1970 to 9999.
    private static func seconds(_ text: String) -> Int64? {
        Int64(text).flatMap { (0...253_402_300_799).contains($0) ? $0 : nil }
    }

    private static func make(_ change: Change, of node: DAVNode, _ tree: DAVTree) throws {
        switch (change.name, seconds(change.text)) {
        case (lastModified, let seconds?): try tree.setModified(seconds, of: node)
        case (creationTime, let seconds?):
            let (table, id) = ItemNumber.row(node.number)
            try tree.tree.run("UPDATE \(table) SET created = ? WHERE id = ?", [seconds, id])
        default:
            guard let value = change.value else {
                return try tree.removeProperty(change.name, of: node.number)
            }
            try tree.setProperty(
                DAVTree.DeadProperty(name: change.name, value: value), of: node.number)
        }
    }

    private static func answer(_ href: String, _ changes: [Change], _ refused: [XMLName])
        -> ByteBuffer
    {
        var buffer = ByteBuffer()
        buffer.writeString(
            "<?xml version=\"1.0\"?>\n<d:multistatus" + ByteBuffer.xmlNamespaces
                + "><d:response>")
        buffer.writeElement("d:href", href)
        var others: [XMLName] = []
        for change in changes
        where !refused.contains(change.name) && !others.contains(change.name) {
            others.append(change.name)
        }
        if !others.isEmpty {
            PropfindAnswer.writeStatus(
                refused.isEmpty ? "200 OK" : "424 Failed Dependency", others, to: &buffer)
        }
        if !refused.isEmpty {
            PropfindAnswer.writeStatus("403 Forbidden", refused, to: &buffer)
        }
        buffer.writeStaticString("</d:response></d:multistatus>")
        return buffer
    }
}
