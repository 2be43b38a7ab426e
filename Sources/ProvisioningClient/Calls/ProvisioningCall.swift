import HTTPTransport

/// A call of the provisioning API, with what its own status codes mean.
///
/// Sources: ownCloud's "Benutzereinrichtungs-API", Leviia's page, and what Nextcloud 34 and
/// ownCloud 10.15 answered (FACTS part 4). Where a document and the real server use one code for
/// two things, the code has the meaning of the server that the call goes to.
struct ProvisioningCall: Sendable {
    /// The kind in metrics and logs.
    var name: String
    var method: HTTPCall.Method
    /// Below `cloud/`, names escaped.
    var path: String
    var query: [(String, String)] = []
    var body = Body.none
    /// What the codes that are this call's own mean.
    var codes: [Int: ProvisioningError.Kind] = [:]
    /// What "not found" is about.
    var missing = ProvisioningError.Kind.unsupported

    enum Body: Sendable {
        case none
        case form([(String, String)])
        case json([UInt8])
    }

    init(_ name: String, _ method: HTTPCall.Method, _ path: String...) {
        self.name = name
        self.method = method
        self.path = path.map { FormEncoding.encode($0) }.joined(separator: "/")
    }

    /// What an answer that is no success means, by its envelope.
    func kind(_ answer: OCSAnswer) -> ProvisioningError.Kind {
        if let kind = codes[answer.code] { return kind }
        switch answer.code {
        case 997, 401, 403: return .forbidden
        case 998, 999, 404:
            return answer.message.hasPrefix("Invalid query") ? .unsupported : missing
        case 996, 500: return .serverFailure
        case 503: return .temporarilyUnavailable
        case 405: return .unsupported
        default: return .refused
        }
    }
}

/// The status codes of each call.
extension ProvisioningCall {
    /// Of creating a user; 104 and later are Nextcloud's.
    static let createUserCodes: [Int: ProvisioningError.Kind] = [
        101: .invalidInput, 102: .userExists, 103: .refused, 104: .noSuchGroup, 105: .forbidden,
        106: .groupNeeded, 107: .passwordRefused, 108: .passwordOrEmailNeeded,
        109: .invitationFailed, 110: .passwordOrEmailNeeded, 111: .invalidInput,
    ]

    /// Of editing a user. In ownCloud's document 101 is an unknown user; ownCloud 10 answers 997
    /// there, so that nothing else is meant by it. On Nextcloud 101 is a bad value.
    static func editUserCodes(_ dialect: ProvisioningDialect) -> [Int: ProvisioningError.Kind] {
        [
            101: dialect == .owncloud ? .noSuchUser : .invalidInput, 102: .invalidInput,
            103: .invalidInput, 107: .passwordRefused, 112: .unsupported, 113: .invalidInput,
        ]
    }

    /// Of adding a user to a group and of removing one.
    static let membershipCodes: [Int: ProvisioningError.Kind] = [
        101: .groupNeeded, 102: .noSuchGroup, 103: .noSuchUser, 104: .forbidden, 105: .refused,
    ]

    static let addSubadministratorCodes: [Int: ProvisioningError.Kind] = [
        101: .noSuchUser, 102: .noSuchGroup, 103: .refused,
    ]

    static let removeSubadministratorCodes: [Int: ProvisioningError.Kind] = [
        101: .noSuchUser, 102: .notSubadministrator, 103: .refused,
    ]

    static let createGroupCodes: [Int: ProvisioningError.Kind] = [
        101: .invalidInput, 102: .groupExists, 103: .refused,
    ]

    static let deleteGroupCodes: [Int: ProvisioningError.Kind] = [
        101: .noSuchGroup, 102: .refused,
    ]
}
