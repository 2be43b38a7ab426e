/// A fault to inject into answers, for tests: which requests it meets and what it does to them.
package struct FaultRule: Sendable, Codable, Equatable {
    /// `GET`, `POST`, …; nil for any.
    package var method: String?
    /// A part of the path (without the query); nil for any.
    package var pathContains: String?
    /// The route kind as counted: `folder`, `root`, `file`, `download`, `upload`, `lock`, `token`, …;
    /// nil for any.
    package var routeKind: String?
    /// How many matching requests pass before the rule works.
    package var skip: Int
    /// How many requests it then works on; nil for all.
    package var times: Int?
    package var action: FaultAction

    /// A rule for the next matching request unless told otherwise.
    package init(
        _ action: FaultAction, method: String? = nil, routeKind: String? = nil, skip: Int = 0,
        times: Int? = 1
    ) {
        self.action = action
        self.method = method
        self.routeKind = routeKind
        self.skip = skip
        self.times = times
    }

    package init(from decoder: any Decoder) throws {
        let fields = try decoder.container(keyedBy: CodingKeys.self)
        method = try fields.decodeIfPresent(String.self, forKey: .method)
        pathContains = try fields.decodeIfPresent(String.self, forKey: .pathContains)
        routeKind = try fields.decodeIfPresent(String.self, forKey: .routeKind)
        skip = try fields.decodeIfPresent(Int.self, forKey: .skip) ?? 0
        times = fields.contains(.times) ? try fields.decode(Int?.self, forKey: .times) : 1
        action = try fields.decode(FaultAction.self, forKey: .action)
    }

    package func encode(to encoder: any Encoder) throws {
        var fields = encoder.container(keyedBy: CodingKeys.self)
        try fields.encodeIfPresent(method, forKey: .method)
        try fields.encodeIfPresent(pathContains, forKey: .pathContains)
        try fields.encodeIfPresent(routeKind, forKey: .routeKind)
        try fields.encode(skip, forKey: .skip)
        try fields.encode(times, forKey: .times)
        try fields.encode(action, forKey: .action)
    }

    enum CodingKeys: String, CodingKey { case method, pathContains, routeKind, skip, times, action }

    func matches(method: String, path: String, kind: String) -> Bool {
        (self.method ?? method) == method && (routeKind ?? kind) == kind
            && (pathContains.map { path.contains($0) } ?? true)
    }
}

/// What a fault does.
package enum FaultAction: Sendable, Codable, Equatable {
    /// The request is worked on only after this time, at most ten minutes.
    case delay(seconds: Double)
    /// The work is not done and the answer is this status with this `error` word.
    case status(code: Int, error: String, retryAfter: Int?)
    /// The work is done; the connection is closed after so many bytes of the answer's body.
    case cutBody(afterBytes: Int)
    /// The work is done; the answer is consistent but so many bytes longer (filled with zeros) or
    /// shorter than it should be.
    case wrongLength(by: Int)
    /// The connection is closed before any answer; the work is not done.
    case resetBeforeAnswer
    /// The work is done; the connection is closed without the answer.
    case loseAnswer
    /// 401 `access_denied`, as for a token that has just expired; the work is not done.
    case expireToken
}
