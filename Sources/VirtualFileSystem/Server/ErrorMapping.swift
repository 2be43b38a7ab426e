import CloudStorage
import FileSystemTypes

extension FileSystemError {
    /// What a program is told when the cloud refused or failed a call (DESIGN section 7).
    init(_ error: CloudStorageError) {
        let code: Code =
            switch error.kind {
            case .notFound, .rootDeleted: .notFound
            case .forbidden, .signInRequired: .accessDenied
            case .nameConflict: .exists
            case .locked: .locked
            case .invalidName: .invalidName
            case .nameTooLong: .nameTooLong
            case .invalidExtension, .policy: .policy
            case .tooLarge: .tooLarge
            case .quotaExceeded: .quotaExceeded
            case .revisionChanged: .stale
            case .temporarilyUnavailable, .invalidAnswer, .invalidRequest, .localFile:
                .inputOutput
            case .unreachable: .networkUnreachable
            case .timedOut: .timedOut
            case .cancelled: .interrupted
            case .unsupported: .notSupported
            }
        self.init(code, error.message)
    }

    /// As above for an item that the program holds open: what is gone is stale, not missing.
    init(openFile error: CloudStorageError) {
        let mapped = FileSystemError(error)
        self.init(mapped.code == .notFound ? .stale : mapped.code, mapped.message)
    }
}

extension CloudStorageError {
    /// Whether the server has decided; a call that was cancelled says nothing.
    var isFinal: Bool { failureClass == .giveUp && kind != .cancelled }
}
