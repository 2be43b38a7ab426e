import LeitzCloudAPI

/// A refused call of OCS: the code of its envelope, and the message (FACTS 2.3 and part 4).
struct OCSRefusal: Error {
    var code: Int64
    var message: String

    init(_ code: Int64, _ message: String = "") {
        self.code = code
        self.message = message
    }

    /// What the calls of the other face refuse.
    init(_ error: APIError) {
        let message = error.body.errorDescription ?? ""
        switch error.status {
        case 401: self.init(997, "Unauthorised")
        case 403: self.init(403, message)
        case 404: self.init(998, message)
        case 503: self.init(503, message)
        // Such as a limit of users that is reached.
        default: self.init(103, message)
        }
    }

    /// Version 1 is as in ownCloud's document, where the status says nothing but 401; version 2
    /// as Nextcloud: the status follows the code.
    func httpStatus(version: Int) -> Int {
        if code == 997 { return 401 }
        guard version == 2 else { return 200 }
        return switch code {
        case 998: 404
        case 996, 999: 500
        case 400...599: Int(code)
        default: 400
        }
    }
}
