/// The addresses of the administrative chapters of API v2, as paths below the server's URL.
package enum AdministrationRoute {
    private static let base = "/api/2/"

    /// Of an organization, with the words behind it: `roots`, `shares/create`, `share/7/update`, …
    package static func organization(_ id: Int64, _ words: String = "") -> String {
        path("organization", String(id), words)
    }

    package static func organization(licenseKey: String) -> String {
        path("organization", PathSegment.encode(licenseKey), "")
    }

    package static func person(_ id: Int64, _ words: String = "") -> String {
        path("person", String(id), words)
    }

    package static func person(email: String) -> String {
        path("person", PathSegment.encode(email), "")
    }

    package static let createPerson = base + "person/create"

    package static func guest(_ id: Int64, _ words: String = "") -> String {
        path("guest", String(id), words)
    }

    package static func guest(email: String) -> String {
        path("guest", PathSegment.encode(email), "")
    }

    package static let createGuest = base + "guest/create"

    package static func group(_ id: Int64, _ words: String = "") -> String {
        path("group", String(id), words)
    }

    package static let createGroup = base + "group/create"

    package static func machine(_ id: Int64, _ words: String = "") -> String {
        path("machine", String(id), words)
    }

    package static func activity(_ id: Int64) -> String { path("activity", String(id), "") }

    package static let activityTypes = base + "activity/types"
    package static let createActivity = base + "activity/create"

    private static func path(_ kind: String, _ name: String, _ words: String) -> String {
        base + kind + "/" + name + (words.isEmpty ? "" : "/" + words)
    }
}

/// Percent encoding of one part of a path (RFC 3986 section 2.1).
package enum PathSegment {
    /// Everything but unreserved characters and `@` is escaped.
    package static func encode(_ text: String) -> String {
        var result = ""
        let digits = Array("0123456789ABCDEF")
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            let isPlain =
                byte < 0x80
                && (Character(scalar).isLetter || Character(scalar).isNumber
                    || "-._~@".unicodeScalars.contains(scalar))
            if isPlain {
                result.unicodeScalars.append(scalar)
            } else {
                result += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
        return result
    }
}
