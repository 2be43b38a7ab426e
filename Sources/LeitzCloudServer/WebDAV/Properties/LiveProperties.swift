import GRDB
import NIOCore

/// The properties that the server itself knows: their names and their values.
struct LiveProperties {
    /// What a client gets that names none (RFC 4918 `allprop`); Nextcloud leaves its own out.
    static let common = [
        "getlastmodified", "getcontentlength", "resourcetype", "quota-used-bytes",
        "quota-available-bytes", "getetag", "getcontenttype",
    ].map(XMLName.dav)

    private static let others =
        [
            "displayname", "creationdate", "lockdiscovery", "supportedlock",
            "current-user-principal",
        ].map(XMLName.dav)
        + [
            "id", "fileid", "permissions", "size", "checksums", "owner-id", "owner-display-name",
            "favorite", "share-types", "data-fingerprint",
        ].map { XMLName(XMLName.ownCloud, $0) }
        + [
            "lock", "lock-owner", "lock-owner-type", "lock-owner-displayname", "lock-time",
            "lock-timeout", "lock-token", "creation_time", "upload_time", "has-preview",
            "contained-file-count", "contained-folder-count", "is-mount-root", "mount-type",
        ].map { XMLName(XMLName.nextcloud, $0) }

    /// All names, for `propname` and for what PROPPATCH can't change.
    static let names = Set(common + others)

    private static let prefixes = [
        XMLName.webDAV: "d", XMLName.ownCloud: "oc", XMLName.nextcloud: "nc",
    ]

    let tree: DAVTree
    let instance: String
    private let request: DAVRequest

    init(_ tree: DAVTree, _ request: DAVRequest) throws {
        self.tree = tree
        self.request = request
        instance = try DAVTree.instance(tree.db)
    }

    /// The tag of a property in an answer; nil for one that needs a declaration of its own.
    static func tag(_ name: XMLName) -> String? {
        prefixes[name.namespace].map { $0 + ":" + name.local }
    }

    /// Writes a property with its value; false, with nothing written, where the item has none.
    func write(_ name: XMLName, of node: DAVNode, to buffer: inout ByteBuffer) throws -> Bool {
        guard Self.names.contains(name), let tag = Self.tag(name) else { return false }
        switch name.namespace {
        case XMLName.webDAV: return try writeDAV(name.local, tag, node, &buffer)
        case XMLName.ownCloud: return try writeOwnCloud(name.local, tag, node, &buffer)
        default: return try writeNextcloud(name.local, tag, node, &buffer)
        }
    }

    private func writeDAV(
        _ name: String, _ tag: String, _ node: DAVNode, _ buffer: inout ByteBuffer
    ) throws -> Bool {
        switch name {
        case "resourcetype":
            buffer.writeString(
                node.isFolder ? "<\(tag)><d:collection/></\(tag)>" : "<\(tag)/>")
        case "getlastmodified":
            buffer.writeElement(tag, HTTPDate.format(max(0, node.modified)))
        case "getetag": buffer.writeElement(tag, node.etag)
        case "displayname":
            buffer.writeElement(tag, node.isHome ? tree.caller.displayName : node.name)
        case "getcontentlength":
            guard let file = node.file else { return false }
            buffer.writeElement(tag, String(file.size))
        case "getcontenttype":
            guard !node.isFolder else { return false }
            buffer.writeElement(tag, MediaType.of(node.name))
        case "creationdate":
            guard let file = node.file else { return false }
            buffer.writeElement(tag, MediaType.timestamp(file.created))
        case "quota-available-bytes", "quota-used-bytes":
            guard node.isFolder else { return false }
            let quota = try tree.quota()
            buffer.writeElement(
                tag, String(name == "quota-used-bytes" ? quota.used : quota.available))
        case "lockdiscovery":
            buffer.writeTag(tag)
            for lock in try tree.locks(on: node) {
                lock.write(root: try lockRoot(lock, node), to: &buffer)
            }
            buffer.writeTag("/" + tag)
        case "supportedlock":
            buffer.writeTag(tag)
            for scope in ["exclusive", "shared"] {
                buffer.writeString("<d:lockentry><d:lockscope><d:\(scope)/></d:lockscope>")
                buffer.writeStaticString("<d:locktype><d:write/></d:locktype></d:lockentry>")
            }
            buffer.writeTag("/" + tag)
        case "current-user-principal":
            buffer.writeTag(tag)
            buffer.writeElement(
                "d:href",
                "/remote.php/dav/principals/users/\(DAVTarget.encode(tree.caller.user))/")
            buffer.writeTag("/" + tag)
        default: return false
        }
        return true
    }

    /// The URL of the item that a lock was taken on: the item itself or a folder above.
    func lockRoot(_ lock: TokenLock, _ node: DAVNode) throws -> String {
        let numbers = node.numbersUpwards
        guard let steps = numbers.firstIndex(of: lock.item) else {
            return request.href(node.path, isFolder: node.isFolder)
        }
        return request.href(
            Array(node.path.dropLast(steps)), isFolder: steps > 0 || node.isFolder)
    }

    private func writeOwnCloud(
        _ name: String, _ tag: String, _ node: DAVNode, _ buffer: inout ByteBuffer
    ) throws -> Bool {
        switch name {
        case "id": buffer.writeElement(tag, ItemNumber.text(node.number, instance: instance))
        case "fileid": buffer.writeElement(tag, String(node.number))
        case "permissions": buffer.writeElement(tag, node.permissionLetters)
        case "size":
            buffer.writeElement(tag, String(try node.file?.size ?? tree.size(below: node)))
        case "checksums":
            guard let checksum = node.file?.checksum else { return false }
            buffer.writeTag(tag)
            buffer.writeElement("oc:checksum", checksum)
            buffer.writeTag("/" + tag)
        case "owner-id": buffer.writeElement(tag, tree.caller.user)
        case "owner-display-name": buffer.writeElement(tag, tree.caller.displayName)
        case "favorite": buffer.writeElement(tag, "0")
        case "share-types": buffer.writeTag(tag + "/")
        case "data-fingerprint":
            guard node.isHome else { return false }
            buffer.writeTag(tag + "/")
        default: return false
        }
        return true
    }

    private func writeNextcloud(
        _ name: String, _ tag: String, _ node: DAVNode, _ buffer: inout ByteBuffer
    ) throws -> Bool {
        switch name {
        case "creation_time": buffer.writeElement(tag, String(node.file?.created ?? 0))
        case "upload_time":
            guard let file = node.file else { return false }
            buffer.writeElement(tag, String(try tree.uploadTime(of: file)))
        case "has-preview": buffer.writeElement(tag, "false")
        case "contained-file-count":
            guard node.isFolder else { return false }
            buffer.writeElement(tag, String(try tree.children(of: node, "files")))
        case "contained-folder-count":
            guard node.isFolder else { return false }
            let count = try tree.children(of: node, "folders") + node.mounts.count
            buffer.writeElement(tag, String(count))
        case "is-mount-root": buffer.writeElement(tag, node.isMount ? "true" : "false")
        case "mount-type": buffer.writeElement(tag, node.isMount ? "group" : "")
        default: return try writeLock(name, tag, node, &buffer)
        }
        return true
    }

    /// The properties of Nextcloud's app files_lock (FACTS 2.9).
    private func writeLock(
        _ name: String, _ tag: String, _ node: DAVNode, _ buffer: inout ByteBuffer
    ) throws -> Bool {
        guard let lock = try tree.shownLock(on: node) else {
            if name == "lock" { buffer.writeString("<\(tag)></\(tag)>") }
            return name == "lock"
        }
        let value: String? =
            switch name {
            case "lock": "1"
            case "lock-owner": lock.owner
            case "lock-owner-type": lock.isToken ? "2" : "0"
            case "lock-owner-displayname": lock.displayName
            case "lock-time": lock.taken.map { String($0) }
            case "lock-timeout": String(lock.seconds)
            case "lock-token": lock.token
            default: nil
            }
        guard let value else { return false }
        buffer.writeElement(tag, value)
        return true
    }
}
