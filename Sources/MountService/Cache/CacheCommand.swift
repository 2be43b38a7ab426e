import BlockCache

/// `ordner cache`: shows what is kept of accounts for fast reading, and gives the space back.
package enum CacheCommand {
    /// One account's cache, and what was done to it.
    package struct Result: Sendable, Hashable {
        package var report: CacheReport
        /// Nil where nothing was to be trimmed.
        package var trimming: TrimReport?
    }

    /// What to do.
    package enum Action: Sendable, Hashable {
        case show
        /// Evict down to so many bytes.
        case trim(to: Int64)
        /// Let a mounted account's cache have so many bytes from now on.
        case limit(Int64)
    }

    private enum Target: Sendable {
        case mounted(MountLocation)
        case stored(AccountName)
    }

    /// Acts on the cache of a mount or an account; of nil, on those of all accounts, each of which may have
    /// a `problem` instead.
    package static func run(
        _ action: Action, on text: String?, folders: ProgramFolders
    ) async throws(ServiceFailure) -> [Result] {
        let targets = try await BlockingWork.run { () throws(ServiceFailure) in
            if let text { return [try target(text, folders: folders)] }
            return try allTargets(folders: folders)
        }
        var results: [Result] = []
        for target in targets {
            do throws(ServiceFailure) {
                results.append(try await perform(action, on: target, folders: folders))
            } catch {
                guard text == nil, case .stored(let account) = target else { throw error }
                var report = StoredCache.emptyReport(of: account, folders: folders)
                report.problem = error.message
                results.append(Result(report: report))
            }
        }
        return results
    }

    /// A folder that a mount is on, or the name of an account. Blocks.
    private static func target(
        _ text: String, folders: ProgramFolders
    ) throws(ServiceFailure) -> Target {
        let client = ControlClient(folders: folders)
        let location = MountLocation(resolving: text)
        if location.holdsOurMount {
            guard try client.ask(ControlRequest(.status), of: location) != nil else {
                throw ServiceFailure(
                    "the driver of \(location) has ended",
                    remedy: "Clear it with: ordner unmount \(location); "
                        + "its account can be named instead.")
            }
            return .mounted(location)
        }
        let store = AccountStore(folders: folders)
        guard !text.contains("/"), try store.names().contains(where: { $0.rawValue == text }) else {
            throw ServiceFailure(
                "no Ordner mount is on \(location), and no account is named '\(text)'",
                remedy: "ordner cache without a folder shows all.")
        }
        let mount = try client.allStatuses().first { $0.account == text }
        if let mount { return .mounted(MountLocation(resolving: mount.mountPoint)) }
        return .stored(try AccountName(text))
    }

    private static func allTargets(folders: ProgramFolders) throws(ServiceFailure) -> [Target] {
        let mounts = try ControlClient(folders: folders).allStatuses()
        let others = try AccountStore(folders: folders).names().filter { name in
            !mounts.contains { $0.account == name.rawValue }
        }
        return mounts.map { .mounted(MountLocation(resolving: $0.mountPoint)) }
            + others.map { .stored($0) }
    }

    private static func perform(
        _ action: Action, on target: Target, folders: ProgramFolders
    ) async throws(ServiceFailure) -> Result {
        switch target {
        case .mounted(let location):
            try await BlockingWork.run { () throws(ServiceFailure) in
                try ask(action, of: location, folders: folders)
            }
        case .stored(let account): try await act(action, on: account, folders: folders)
        }
    }

    /// Blocks.
    private static func ask(
        _ action: Action, of location: MountLocation, folders: ProgramFolders
    ) throws(ServiceFailure) -> Result {
        var request: ControlRequest
        switch action {
        case .show: request = ControlRequest(.cache)
        case .trim(let bytes):
            request = ControlRequest(.trimCache)
            request.bytes = bytes
        case .limit(let bytes):
            request = ControlRequest(.limitCache)
            request.bytes = bytes
        }
        guard let answer = try ControlClient(folders: folders).ask(request, of: location) else {
            throw ServiceFailure(
                "the driver of \(location) has ended", remedy: "Mount it again.")
        }
        guard let report = answer.cache else {
            throw ServiceFailure("the driver of \(location) is of another version")
        }
        return Result(report: report, trimming: answer.trimming)
    }

    private static func act(
        _ action: Action, on account: AccountName, folders: ProgramFolders
    ) async throws(ServiceFailure) -> Result {
        if case .limit = action {
            throw ServiceFailure(
                "'\(account)' is not mounted",
                remedy: "Say so when you mount it: ordner mount --cache-size SIZE \(account) DIR")
        }
        let stored = try await BlockingWork.run { () throws(ServiceFailure) in
            try StoredCache.open(account, folders: folders)
        }
        guard let stored else {
            let report = StoredCache.emptyReport(of: account, folders: folders)
            guard case .trim = action else { return Result(report: report) }
            return Result(report: report, trimming: TrimReport(files: 0, bytes: 0))
        }
        var trimming: TrimReport?
        if case .trim(let bytes) = action {
            let trimmed = await stored.cache.trim(to: bytes)
            trimming = TrimReport(files: trimmed.files, bytes: trimmed.bytes)
        }
        let report = try await BlockingWork.run { () throws(ServiceFailure) in
            defer { stored.cache.close() }
            return try stored.report()
        }
        return Result(report: report, trimming: trimming)
    }
}
