import HTTPTypes
import LeitzCloudAPI

/// What a request asks for, read from its method and path.
struct Route: Sendable {
    enum Call: Sendable {
        case version
        case token
        case revoke
        case administration(AdministrativeCall)
        case metadata(ItemAddress)
        case download(ItemAddress)
        case search(root: Int64)
        case modifiedSince(root: Int64)
        case upload(ItemAddress)
        case createFolder(ItemAddress)
        case rename(ItemAddress)
        case move(ItemAddress)
        case delete(ItemAddress)
        case lock(ItemAddress)
        case unlock(ItemAddress)
        case share(ItemAddress)
        case testFaults
        case testCounts
        case face(FaceCall)
        case unknown
    }

    /// The calls of the WebDAV face.
    enum FaceCall: Sendable {
        case webDAV
        case status
        case ocs(version: Int, OCSCalls.Call)
        case login(LoginCalls.Step)
        /// A token for the push server.
        case pushToken
    }

    /// Whether errors are answered as the WebDAV face does.
    var isFace: Bool { if case .face = call { true } else { false } }

    enum PersonSelector: Sendable {
        case caller
        case id(Int64)
        case email(String)
    }

    var call: Call
    /// The word under which requests are counted and faults are matched.
    var kind: String
    /// The methods that the path answers to.
    var methods: Set<HTTPRequest.Method>

    private init(_ call: Call, _ kind: String, _ methods: Set<HTTPRequest.Method>) {
        self.call = call
        self.kind = kind
        self.methods = methods
    }

    private static let nothing = Route(.unknown, "unknown", [.get, .post, .put, .delete])

    /// - Parameter path: without the query, still percent-encoded.
    static func parse(_ path: some StringProtocol) -> Route {
        let parts = String(path).split(separator: "/" as Character).map(String.init)
        switch (parts.first, parts.count) {
        case ("oauth", 2):
            return switch parts[1] {
            case "token": Route(.token, "token", [.post])
            case "revoke": Route(.revoke, "revoke", [.post])
            default: nothing
            }
        case ("_test", 2):
            return switch parts[1] {
            case "faults": Route(.testFaults, "test", [.get, .post, .delete])
            case "counts": Route(.testCounts, "test", [.get, .delete])
            default: nothing
            }
        case ("remote.php", 2...): return webDAV(parts)
        case ("status.php", 1): return Route(.face(.status), "status", [])
        case ("ocs", 2...): return ocs(Array(parts.dropFirst()))
        case ("index.php", 3...) where parts[1] == "login" && parts[2] == "v2":
            return login(Array(parts.dropFirst(3)))
        case ("index.php", 4) where parts[1...] == ["apps", "notify_push", "pre_auth"]:
            return Route(.face(.pushToken), "push-token", [])
        case ("api", 3...) where parts[1] == "2":
            return switch parts[2] {
            case "version" where parts.count == 3: Route(.version, "version", [.get])
            case "files": files(Array(parts.dropFirst(3)))
            default: administration(Array(parts.dropFirst(2)))
            }
        default: return nothing
        }
    }

    private static func webDAV(_ parts: [String]) -> Route {
        let isUpload = parts.count > 2 && parts[1] == "dav" && parts[2] == "uploads"
        return Route(.face(.webDAV), isUpload ? "dav-upload" : "dav", [])
    }

    private static func ocs(_ parts: [String]) -> Route {
        let version = parts[0] == "v1.php" ? 1 : 2
        let rest = Array(parts.dropFirst())
        if rest.count > 1, rest[0] == "cloud",
            let route = ProvisioningCalls.Route(Array(rest.dropFirst()))
        {
            return Route(
                .face(.ocs(version: version, .provisioning(route))), "ocs-" + route.kind, [])
        }
        let (call, kind): (OCSCalls.Call, String) =
            switch rest.joined(separator: "/") {
            case "cloud/capabilities": (.capabilities, "capabilities")
            case "cloud/user": (.user, "user")
            case "core/getapppassword": (.newAppPassword, "app-password")
            case "core/apppassword": (.endAppPassword, "app-password")
            default: (.unknown, "unknown")
            }
        return Route(.face(.ocs(version: version, call)), kind, [])
    }

    private static func login(_ parts: [String]) -> Route {
        switch parts.count {
        case 0: Route(.face(.login(.begin)), "login", [])
        case 1 where parts[0] == "poll": Route(.face(.login(.poll)), "login-poll", [])
        case 2 where parts[0] == "flow":
            Route(.face(.login(.page(token: parts[1]))), "login-page", [])
        default: nothing
        }
    }

    private static func administration(_ parts: [String]) -> Route {
        guard let (call, method) = AdministrativeCall.parse(parts) else { return nothing }
        return Route(.administration(call), parts[0], [method])
    }

    private static func files(_ parts: [String]) -> Route {
        guard let first = parts.first, let root = Int64(first), root > 0 else { return nothing }
        let rest = parts.dropFirst()
        guard let second = rest.first else { return Route(.metadata(.root(root)), "root", [.get]) }
        if second == "folder" {
            guard rest.count >= 2, let folder = Int64(parts[2]), folder >= 0 else { return nothing }
            return object(.folder(root: root, folder: folder), "folder", Array(parts.dropFirst(3)))
        }
        if let file = Int64(second) {
            return object(.file(root: root, file: file), "file", Array(parts.dropFirst(2)))
        }
        return object(.root(root), "root", Array(rest))
    }

    private static func object(_ address: ItemAddress, _ kind: String, _ words: [String]) -> Route {
        guard let word = words.first else { return Route(.metadata(address), kind, [.get]) }
        guard words.count == 1 else { return nothing }
        let isFile = kind == "file"
        let isRoot = kind == "root"
        switch word {
        case "download" where isFile: return Route(.download(address), "download", [.get])
        case "download" where !isRoot: return Route(.download(address), "zip", [.get])
        case "search" where isRoot: return Route(.search(root: address.root), word, [.get])
        case "modified_since" where isRoot:
            return Route(.modifiedSince(root: address.root), word, [.get])
        case "upload" where !isFile: return Route(.upload(address), word, [.post])
        case "create_folder" where !isFile: return Route(.createFolder(address), word, [.post])
        case "rename" where !isRoot: return Route(.rename(address), word, [.post])
        case "move" where !isRoot: return Route(.move(address), word, [.post])
        case "delete" where !isRoot: return Route(.delete(address), word, [.post])
        case "share" where !isRoot: return Route(.share(address), word, [.post])
        case "lock": return Route(.lock(address), word, [.post])
        case "unlock": return Route(.unlock(address), word, [.post])
        default: return nothing
        }
    }
}
