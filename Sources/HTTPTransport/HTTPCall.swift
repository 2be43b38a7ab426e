package import CloudStorage
package import FileSystemTypes
package import FoundationEssentials

/// One request to a server, with what the transport must know to carry it out.
package struct HTTPCall: Sendable {
    package enum Method: String, Sendable {
        case get = "GET"
        case post = "POST"
        case put = "PUT"
        case delete = "DELETE"
        case options = "OPTIONS"
        case propfind = "PROPFIND"
        case proppatch = "PROPPATCH"
        case mkcol = "MKCOL"
        case move = "MOVE"
        case copy = "COPY"
        case lock = "LOCK"
        case unlock = "UNLOCK"

        /// Whether the method only asks (RFC 9110 section 9.2.1), so that it may be sent again and
        /// follow a redirect.
        package var isSafe: Bool { self == .get || self == .options || self == .propfind }
    }

    package enum Body: Sendable {
        case none
        /// Sent as `application/x-www-form-urlencoded`.
        case form([(String, String)])
        /// Streamed from the disk.
        case multipart(MultipartFile)
        /// A local file as it is, streamed from the disk.
        case file(LocalContent, type: String)
        /// Some bytes of a local file.
        case filePart(LocalContent, ByteRange, type: String)
        case bytes([UInt8], type: String)
    }

    /// Which concurrency limit the call falls under, so that transfers don't starve look-ups.
    package enum Traffic: String, Sendable, CaseIterable {
        case metadata
        case bulk
        /// Uploads of small files. Each takes little more than a round trip, so that more of them
        /// than of large ones may be under way before they share a line.
        case parcel

        /// What an upload of so many bytes falls under.
        package static func upload(of size: Int64) -> Traffic {
            size <= 256 << 10 ? .parcel : .bulk
        }
    }

    /// The call's kind in metrics and logs, e.g. `list`.
    package var name: String
    package var method: Method
    /// Absolute; see `ServerAddress.url`.
    package var url: String
    package var headers: [(String, String)] = []
    package var body: Body = .none
    /// Whether a second arrival changes nothing that the first did not.
    package var isIdempotent: Bool
    package var traffic: Traffic = .metadata
    /// The most that an answer held in memory may have, in bytes.
    package var maximumAnswerSize = 1 << 20
    /// From sending a metadata request to the end of its answer; nil for the transport's own.
    package var deadline: Duration?
    /// Whether answers of 429 and 503 are repeated inside; otherwise the caller hears of them at
    /// once, so that it can hold back its other calls too.
    package var repeatsWhenBusy = true

    /// - Parameter isIdempotent: nil for "as the method says": what only asks is, the others are not.
    package init(_ name: String, _ method: Method, url: String, isIdempotent: Bool? = nil) {
        self.name = name
        self.method = method
        self.url = url
        self.isIdempotent = isIdempotent ?? method.isSafe
    }
}

/// The beginning of an answer: what is known before its body comes.
package struct AnswerHead: Sendable {
    package var status: Int
    /// In the order they came; names as the server spelled them.
    package var headers: [(String, String)]

    package init(status: Int, headers: [(String, String)]) {
        self.status = status
        self.headers = headers
    }

    /// The first header of that name, in any case.
    package func header(_ name: String) -> String? {
        headers.first { $0.0.lowercased() == name.lowercased() }?.1
    }
}

/// What a server answered, whatever the status.
package struct HTTPAnswer: Sendable {
    package var status: Int
    /// In the order they came; names as the server spelled them.
    package var headers: [(String, String)]
    /// Empty where the bytes went to a download sink.
    package var body: Data
    /// How often the call was sent until this answer came.
    package var attempts: Int

    package init(status: Int, headers: [(String, String)], body: Data, attempts: Int = 1) {
        self.status = status
        self.headers = headers
        self.body = body
        self.attempts = attempts
    }

    /// The first header of that name, in any case.
    package func header(_ name: String) -> String? {
        headers.first { $0.0.lowercased() == name.lowercased() }?.1
    }

    /// Whole seconds of a `Retry-After` header; its date form is not read.
    package var retryAfter: Double? {
        guard let text = header("Retry-After"), let seconds = Double(text),
            seconds.isFinite, seconds >= 0
        else { return nil }
        return seconds
    }

    package var isSuccess: Bool { (200..<300).contains(status) }
}
