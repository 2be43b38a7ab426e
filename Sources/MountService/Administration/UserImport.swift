import Glibc

/// Makes users out of the lines of a CSV file. Repeating it is safe: who exists is left alone, or
/// brought up to date where that is asked for.
package struct UserImport: Sendable {
    package struct Settings: Sendable {
        /// Only look at what would be done.
        package var isDryRun = false
        /// Bring those who exist up to date, passwords apart.
        package var updates = false
        package var passwords = Passwords.fromFile
        /// Reads `10G` and the like; nil for what is no size.
        package var size: @Sendable (String) -> Int64?

        package init(size: @escaping @Sendable (String) -> Int64?) { self.size = size }
    }

    /// Where the passwords of new users come from, for lines without one.
    package enum Passwords: Sendable {
        /// Only from the column `password`.
        case fromFile
        /// Made here, and shown in the report.
        case generated
        /// Made by the cloud, which tells the users.
        case fromCloud
    }

    /// What became of a line.
    package struct Line: Sendable, Codable, Equatable {
        package enum Outcome: String, Sendable, Codable {
            case created
            case updated
            case exists
            case failed
            /// With a dry run.
            case wouldCreate = "would create"
            case wouldUpdate = "would update"
        }

        package var line: Int
        package var user: String
        package var outcome: Outcome
        /// Why it failed.
        package var reason: String?
        /// A password that was made here.
        package var password: String?
    }

    static let columns: Set<String> = [
        "email", "username", "first_name", "last_name", "password", "quota", "phone", "groups",
        "admin",
    ]
    private static let pieceSize = 64 * 1024

    let users: any UserAdministration
    let settings: Settings

    package init(_ users: any UserAdministration, _ settings: Settings) {
        self.users = users
        self.settings = settings
    }

    /// Works through a file, one line after the other, and tells of each.
    ///
    /// A line that fails does not end the work; a file that is no table does.
    /// - Returns: how many lines failed.
    package func run(
        file path: String, report: (Line) throws(ServiceFailure) -> Void
    ) async throws(ServiceFailure) -> Int {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system("open \(path)") }
        defer { close(descriptor) }
        var parser = CSVParser()
        var header: [String]?
        var seen: Set<String> = []
        var failures = 0
        var isAtEnd = false
        while !isAtEnd {
            let piece = try await Self.piece(of: descriptor, path)
            isAtEnd = piece.isEmpty
            for record in try Self.records(piece, &parser) {
                guard let columns = header else {
                    header = try Self.header(record)
                    continue
                }
                let line = await work(record, columns, &seen)
                if line.outcome == .failed { failures += 1 }
                try report(line)
            }
        }
        guard header != nil else { throw ServiceFailure("\(path) is empty") }
        return failures
    }

    private static func piece(
        of descriptor: Int32, _ path: String
    ) async throws(ServiceFailure) -> [UInt8] {
        try await BlockingWork.run { () throws(ServiceFailure) in
            var bytes = [UInt8](repeating: 0, count: pieceSize)
            while true {
                let count = read(descriptor, &bytes, pieceSize)
                if count >= 0 { return Array(bytes[..<count]) }
                if errno != EINTR { throw .system("read \(path)") }
            }
        }
    }

    private static func records(
        _ piece: [UInt8], _ parser: inout CSVParser
    ) throws(ServiceFailure) -> [CSVParser.Record] {
        do throws(CSVParser.Malformed) {
            return try piece.isEmpty ? parser.finish() : parser.feed(piece)
        } catch {
            switch error {
            case .unclosedQuote(let line):
                throw ServiceFailure("line \(line): a quote is not closed")
            case .notUTF8(let line): throw ServiceFailure("line \(line): not UTF-8")
            case .recordTooLong(let line): throw ServiceFailure("line \(line): too long")
            }
        }
    }

    private static func header(_ record: CSVParser.Record) throws(ServiceFailure) -> [String] {
        let names = record.fields.map { trimmed($0).lowercased() }
        for name in names where !columns.contains(name) {
            throw ServiceFailure(
                "the first line names an unknown column '\(name)'",
                remedy: "Columns: \(columns.sorted().joined(separator: ", ")).")
        }
        guard names.contains("email"), Set(names).count == names.count else {
            throw ServiceFailure("the first line must name the columns, 'email' among them, once")
        }
        return names
    }

    static func trimmed(_ text: String) -> String {
        let start = text.drop { $0.isWhitespace }
        return String(String(start.reversed().drop { $0.isWhitespace }).reversed())
    }

    private func work(
        _ record: CSVParser.Record, _ columns: [String], _ seen: inout Set<String>
    ) async -> Line {
        var values: [String: String] = [:]
        for (name, text) in zip(columns, record.fields) { values[name] = Self.trimmed(text) }
        let email = values["email"] ?? ""
        var line = Line(line: record.line, user: email, outcome: .failed)
        guard record.fields.count == columns.count else {
            line.reason = "\(record.fields.count) fields instead of \(columns.count)"
            return line
        }
        guard seen.insert(email.lowercased()).inserted else {
            line.reason = "the address is in the file twice"
            return line
        }
        do throws(ServiceFailure) {
            try await apply(values, to: &line)
        } catch {
            line.outcome = .failed
            line.reason = error.message
            line.password = nil
        }
        return line
    }

    private func apply(
        _ values: [String: String], to line: inout Line
    ) async throws(ServiceFailure) {
        var draft = try draft(values)
        if let known = try await users.user(like: draft) {
            if settings.updates, !settings.isDryRun {
                // One whose making was interrupted may lack the address.
                if known.email?.lowercased() == line.user.lowercased() { draft.email = nil }
                draft.password = nil
                draft.makesRoot = nil
                _ = try await users.updateUser(known.name, draft)
            }
            line.outcome =
                settings.updates ? (settings.isDryRun ? .wouldUpdate : .updated) : .exists
            return
        }
        if draft.password == nil {
            switch settings.passwords {
            case .fromFile: throw ServiceFailure("no password")
            case .generated:
                let password = GeneratedPassword.make()
                draft.password = .given(password)
                if !settings.isDryRun { line.password = password }
            case .fromCloud: draft.password = .fromCloud
            }
        }
        if !settings.isDryRun { _ = try await users.createUser(draft) }
        line.outcome = settings.isDryRun ? .wouldCreate : .created
    }

    private func draft(_ values: [String: String]) throws(ServiceFailure) -> UserDraft {
        func given(_ name: String) -> String? { values[name].flatMap { $0.isEmpty ? nil : $0 } }
        guard let email = given("email"), email.contains("@") else {
            throw ServiceFailure("no e-mail address")
        }
        var draft = UserDraft()
        draft.email = email
        draft.username = given("username")
        draft.firstName = given("first_name")
        draft.lastName = given("last_name")
        draft.password = given("password").map { .given($0) }
        draft.mobilePhone = given("phone")
        draft.makesRoot = true
        if let quota = given("quota") {
            guard let bytes = settings.size(quota) else {
                throw ServiceFailure("'\(quota)' is no size such as 10G")
            }
            draft.quota = bytes
        }
        if let groups = given("groups") {
            draft.groups = groups.split(separator: "|").map { Self.trimmed(String($0)) }
        }
        switch given("admin")?.lowercased() {
        case nil: break
        case "true", "yes", "1": draft.isAdministrator = true
        case "false", "no", "0": draft.isAdministrator = false
        default: throw ServiceFailure("'admin' is neither true nor false")
        }
        return draft
    }
}
