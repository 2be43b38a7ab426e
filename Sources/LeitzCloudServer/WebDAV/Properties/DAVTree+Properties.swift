import GRDB
import NIOCore

/// Properties that clients make up: kept as they came, on files and folders.
extension DAVTree {
    /// On one item.
    static let maximumProperties = 200

    /// A property with its value as XML.
    struct DeadProperty: Sendable {
        var name: XMLName
        var value: String
    }

    func deadProperties(of number: Int64) throws -> [DeadProperty] {
        try Row.fetchAll(
            db.cachedStatement(
                sql: "SELECT namespace, name, value FROM dav_properties WHERE item = ?"),
            arguments: [number]
        ).map { DeadProperty(name: XMLName($0[0], $0[1]), value: $0[2]) }
    }

    func deadProperty(_ name: XMLName, of number: Int64) throws -> String? {
        try String.fetchOne(
            db.cachedStatement(
                sql: """
                    SELECT value FROM dav_properties WHERE item = ? AND namespace = ? AND name = ?
                    """), arguments: [number, name.namespace, name.local])
    }

    /// Throws `DAVError` 507 where the item has too many.
    func setProperty(_ property: DeadProperty, of number: Int64) throws {
        try tree.run(
            """
            INSERT INTO dav_properties (item, namespace, name, value) VALUES (?, ?, ?, ?)
            ON CONFLICT DO UPDATE SET value = excluded.value
            """, [number, property.name.namespace, property.name.local, property.value])
        let count = try Int.fetchOne(
            db.cachedStatement(sql: "SELECT count(*) FROM dav_properties WHERE item = ?"),
            arguments: [number])
        if count ?? 0 > Self.maximumProperties { throw DAVError.insufficientStorage([]) }
    }

    func removeProperty(_ name: XMLName, of number: Int64) throws {
        try tree.run(
            "DELETE FROM dav_properties WHERE item = ? AND namespace = ? AND name = ?",
            [number, name.namespace, name.local])
    }

    func copyProperties(of number: Int64, to other: Int64) throws {
        try tree.run(
            """
            INSERT INTO dav_properties (item, namespace, name, value)
            SELECT ?, namespace, name, value FROM dav_properties WHERE item = ?
            """, [other, number])
    }
}
