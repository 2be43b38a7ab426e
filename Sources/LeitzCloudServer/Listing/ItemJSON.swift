import LeitzCloudAPI
import NIOCore

/// Writes file and folder objects as `WireItem` encodes them, about ten times as fast.
enum ItemJSON {
    static func write(_ item: WireItem, to buffer: inout ByteBuffer) {
        buffer.writeStaticString("{\"type\":")
        buffer.writeJSON(item.type.rawValue)
        field("id", item.id, &buffer)
        if let revision = item.revisionID { field("revision_id", revision, &buffer) }
        field("root_id", item.rootID, &buffer)
        field("path", item.path, &buffer)
        if let isDeleted = item.isDeleted { field("is_deleted", isDeleted, &buffer) }
        if let isLocked = item.isLocked { field("is_locked", isLocked, &buffer) }
        if let locks = item.locks { write(locks, to: &buffer) }
        if let created = item.created { field("created", created, &buffer) }
        if let modified = item.modified { field("modified", modified, &buffer) }
        if let size = item.size { field("size", size, &buffer) }
        if let formatted = item.sizeFormatted { field("size_formatted", formatted, &buffer) }
        if let permissions = item.permissions {
            buffer.writeStaticString(",\"permissions\":[")
            list(permissions, &buffer) { $1.writeJSON($0) }
        }
        if let hash = item.hash { field("hash", hash, &buffer) }
        buffer.writeInteger(UInt8(ascii: "}"))
    }

    private static func write(_ locks: [WireLock], to buffer: inout ByteBuffer) {
        buffer.writeStaticString(",\"locks\":[")
        list(locks, &buffer) { lock, buffer in
            buffer.writeStaticString("{\"type\":\"lock\"")
            if let person = lock.personID { field("person_id", person, &buffer) }
            if let email = lock.email { field("email", email, &buffer) }
            if let name = lock.displayName { field("display_name", name, &buffer) }
            if let expires = lock.expires { field("expires", expires, &buffer) }
            buffer.writeInteger(UInt8(ascii: "}"))
        }
    }

    private static func list<Element>(
        _ elements: [Element], _ buffer: inout ByteBuffer,
        _ write: (Element, inout ByteBuffer) -> Void
    ) {
        for (index, element) in elements.enumerated() {
            if index > 0 { buffer.writeInteger(UInt8(ascii: ",")) }
            write(element, &buffer)
        }
        buffer.writeInteger(UInt8(ascii: "]"))
    }

    private static func name(_ name: StaticString, _ buffer: inout ByteBuffer) {
        buffer.writeStaticString(",\"")
        buffer.writeStaticString(name)
        buffer.writeStaticString("\":")
    }

    private static func field(_ key: StaticString, _ value: Int64, _ buffer: inout ByteBuffer) {
        name(key, &buffer)
        buffer.writeJSON(value)
    }

    private static func field(_ key: StaticString, _ value: Bool, _ buffer: inout ByteBuffer) {
        name(key, &buffer)
        buffer.writeJSON(value)
    }

    private static func field(_ key: StaticString, _ value: String, _ buffer: inout ByteBuffer) {
        name(key, &buffer)
        buffer.writeJSON(value)
    }
}
