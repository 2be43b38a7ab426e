import GRDB

/// What an administrator does; every change is durable when the call returns.
extension EmbeddedCloud {
    /// Makes a person or brings the person of this e-mail address up to date.
    ///
    /// - Parameters:
    ///   - quota: bytes the person's files may take.
    ///   - ownRoot: whether the person also gets a sync root of their own.
    /// - Returns: the person's id.
    package func ensurePerson(
        email: String, password: String, displayName: String, quota: Int64, ownRoot: Bool = false
    ) async throws -> Int64 {
        let known = try await services.database.read {
            try Accounts.passwordRecord($0, email: email)
        }
        var record: String?
        if known == nil {
            record = try await services.passwords.record(for: password)
        } else if try await !services.passwords.matches(password, record: known) {
            record = try await services.passwords.record(for: password)
        }
        let newRecord = record
        let person = Accounts.Person(email: email, displayName: displayName, quota: quota)
        return try await services.database.write { db in
            let id = try Accounts.ensure(db, person, password: newRecord)
            if ownRoot { _ = try Accounts.ensureOwnRoot(db, person: id) }
            return id
        }
    }

    /// The id of a person's own sync root, which is made where there is none.
    package func ensureOwnRoot(person: Int64) async throws -> Int64 {
        try await services.database.write { try Accounts.ensureOwnRoot($0, person: person) }
    }

    /// The id of the root of this name and kind (`sync`, `share` or `backup`), made where there is
    /// none.
    package func ensureRoot(name: String, kind: String) async throws -> Int64 {
        try await services.database.write {
            try Accounts.ensureRoot($0, name: name, kind: kind)
        }
    }

    /// Sets what a person may do in a root: `FILE_VIEW`, `FILE_READ`, `FILE_WRITE`; nothing ends
    /// the subscription.
    package func subscribe(person: Int64, root: Int64, permissions: [String]) async throws {
        try await services.database.write {
            try Accounts.subscribe($0, person: person, root: root, permissions: permissions)
        }
    }

    /// Asks the person for a code at each sign-in from now on; a nil code ends that.
    ///
    /// - Parameter mode: `email`, `sms` or `authenticator`.
    package func setTwoStepCode(person: Int64, mode: String, code: String?) async throws {
        try await services.database.write { db in
            try db.execute(
                sql: "UPDATE persons SET two_step_mode = ?, two_step_code = ? WHERE id = ?",
                arguments: [code == nil ? nil : mode, code, person])
            if db.changesCount == 0 { throw EmbeddedCloudError.noSuch("person \(person)") }
        }
    }

    /// Deletes a root for good: calls on it answer 410 `root_deleted` from now on.
    package func deleteRoot(_ root: Int64) async throws {
        try await services.database.write { db in
            let isKnown = try Bool.fetchOne(
                db, sql: "SELECT count(*) FROM roots WHERE id = ?", arguments: [root])
            if isKnown != true { throw EmbeddedCloudError.noSuch("root \(root)") }
            try TeamShares.delete(db, root: root)
        }
    }
}

extension EmbeddedCloud {
    /// Puts empty files named `file-N` into a folder by the database alone, for tests and
    /// measurements of long listings.
    package func fill(folder: Int64, root: Int64, person: Int64, files: Int) async throws {
        let now = services.clock()
        let first = services.content.allocateRevisions(files)
        try await services.database.write { db in
            let insertFile = try db.cachedStatement(
                sql: """
                    INSERT INTO files (root_id, parent_id, name, folded, created, modified,
                    changed, size, revision_id, owner_id) VALUES (?, ?, ?, ?, ?, ?, ?, 0, ?, ?)
                    """)
            let insertRevision = try db.cachedStatement(
                sql: """
                    INSERT INTO revisions (id, file_id, size, created, person_id)
                    VALUES (?, ?, 0, ?, ?)
                    """)
            for index in 0..<files {
                let name = "file-\(index)"
                let revision = first + Int64(index)
                try insertFile.execute(arguments: [
                    root, folder, name, name, now, now, now, revision, person,
                ])
                try insertRevision.execute(arguments: [revision, db.lastInsertedRowID, now, person])
            }
            try db.execute(
                sql: "UPDATE folders SET listing_version = listing_version + 1 WHERE id = ?",
                arguments: [folder])
            try Tree.markTrees(db, from: folder, now: now)
        }
    }
}
