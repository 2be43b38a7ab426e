/// The addresses of API v2 and of its sign-in, as paths below the server's URL.
package enum APIRoute {
    package static let version = "/api/2/version"
    package static let person = "/api/2/person"
    package static let token = "/oauth/token"
    package static let revoke = "/oauth/revoke"

    /// The address of a root, folder or file object, with an optional method word behind it
    /// (`download`, `rename`, `move`, `lock`, …).
    package static func item(_ address: ItemAddress, method: String? = nil) -> String {
        let object =
            switch address {
            case .root(let root): "/api/2/files/\(root)"
            case .folder(let root, let folder): "/api/2/files/\(root)/folder/\(folder)"
            case .file(let root, let file): "/api/2/files/\(root)/\(file)"
            }
        return method.map { object + "/" + $0 } ?? object
    }
}

/// What a File-System call is about.
package enum ItemAddress: Hashable, Sendable {
    case root(Int64)
    case folder(root: Int64, folder: Int64)
    case file(root: Int64, file: Int64)

    package var root: Int64 {
        switch self {
        case .root(let root), .folder(let root, _), .file(let root, _): root
        }
    }
}

/// The permission words of the document's examples; real servers may send others.
package enum PermissionWord {
    package static let view = "FILE_VIEW"
    package static let read = "FILE_READ"
    package static let write = "FILE_WRITE"
}
