import Foundation
import TestSupport

extension TemporaryFolder {
    /// What a crash at this moment would leave on the disk: the files without the lock.
    func copyAsAfterCrash(of state: String) throws -> String {
        let copy = file("crash-" + UUID().uuidString)
        try FileManager.default.copyItem(atPath: state, toPath: copy)
        return copy
    }

    func names(in folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
    }
}
