import HTTPTypes

/// The preconditions of a request: `If-Match`, `If-None-Match` (RFC 9110) and `If` (RFC 4918).
struct DAVConditions: Sendable {
    /// Nil without the header.
    var ifMatch: EntityTagList?
    var ifNoneMatch: EntityTagList?
    var ifHeader: IfHeader?

    init(ifMatch: String?, ifNoneMatch: String?, ifHeader: String?) throws(DAVError) {
        self.ifMatch = ifMatch.map(EntityTagList.init)
        self.ifNoneMatch = ifNoneMatch.map(EntityTagList.init)
        if let ifHeader { self.ifHeader = try IfHeader(ifHeader) }
    }

    /// Checks the two headers that are about the request's own target.
    ///
    /// - Parameter etag: of the target with its quotes; nil where nothing is there. A folder counts
    ///   as there without an ETag of its own, as with sabre/dav.
    func check(etag: String?, isFolder: Bool) throws(DAVError) {
        if let ifMatch {
            guard let etag else {
                throw .preconditionFailed(
                    "An If-Match header was specified and the resource did not exist",
                    header: "If-Match")
            }
            guard ifMatch.isAny || (!isFolder && ifMatch.contains(etag)) else {
                var error = DAVError.preconditionFailed(
                    "An If-Match header was specified, but none of the specified ETags matched.",
                    header: "If-Match")
                if !isFolder { error.headers[.eTag] = etag }
                throw error
            }
        }
        if let ifNoneMatch, let etag,
            ifNoneMatch.isAny || (!isFolder && ifNoneMatch.contains(etag))
        {
            throw .preconditionFailed(
                "An If-None-Match header was specified, but the ETag matched (or * was specified).",
                header: "If-None-Match")
        }
    }
}

/// The value of `If-Match` or `If-None-Match`.
struct EntityTagList: Sendable {
    var isAny: Bool
    private var tags: [String] = []

    init(_ text: String) {
        isAny = text.split(separator: " ") == ["*"]
        for tag in text.split(separator: ",") {
            tags.append(String(tag.drop { $0 == " " || $0 == "\t" }.prefix { $0 != " " }))
        }
    }

    /// Whether a strong ETag, with its quotes, is among them.
    func contains(_ etag: String) -> Bool { tags.contains(etag) }
}
