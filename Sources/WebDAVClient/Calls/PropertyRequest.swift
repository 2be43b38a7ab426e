/// The bodies of PROPFIND and PROPPATCH requests: properties by name, as servers answer few without.
enum PropertyRequest {
    /// What an item of the seam is made of, as far as the server knows it.
    static func items(_ profile: WebDAVProfile, withQuota: Bool = false) -> [UInt8] {
        var names = [
            "d:resourcetype", "d:getcontentlength", "d:getlastmodified", "d:getetag",
        ]
        if profile.supportsLocks { names.append("d:lockdiscovery") }
        if profile.hasFileIDs { names += ["oc:fileid", "oc:permissions"] }
        if profile.hasAppLocks {
            names += [
                "nc:lock", "nc:lock-owner", "nc:lock-owner-type", "nc:lock-owner-displayname",
            ]
        }
        if withQuota { names += ["d:quota-available-bytes", "d:quota-used-bytes"] }
        return body(names)
    }

    /// What makes a file's revision, and tells it from another file.
    static func revision(_ profile: WebDAVProfile) -> [UInt8] {
        let names = ["d:resourcetype", "d:getcontentlength", "d:getlastmodified", "d:getetag"]
        return body(names + (profile.hasFileIDs ? ["oc:fileid"] : []))
    }

    /// Only what says whether anything has changed.
    static let etag = body(["d:getetag", "d:resourcetype"])
    static let sizes = body(["d:getcontentlength", "d:resourcetype"])
    static let locks = body(["d:resourcetype", "d:lockdiscovery"])

    static let type = "application/xml; charset=utf-8"

    /// The body of a PROPPATCH request that sets a file's time, in seconds since 1970.
    static func lastModified(_ seconds: Int64) -> [UInt8] {
        Array(
            """
            <?xml version="1.0" encoding="utf-8"?>
            <d:propertyupdate xmlns:d="DAV:"><d:set><d:prop>\
            <d:lastmodified>\(seconds)</d:lastmodified></d:prop></d:set></d:propertyupdate>
            """.utf8)
    }

    private static func body(_ names: [String]) -> [UInt8] {
        let properties = names.map { "<\($0)/>" }.joined()
        return Array(
            """
            <?xml version="1.0" encoding="utf-8"?>
            <d:propfind xmlns:d="DAV:" xmlns:oc="http://owncloud.org/ns" \
            xmlns:nc="http://nextcloud.org/ns"><d:prop>\(properties)</d:prop></d:propfind>
            """.utf8)
    }
}
