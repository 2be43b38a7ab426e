import LeitzCloudServer
import TestSupport
import Testing

/// Every refusal of the API is the errno of DESIGN section 7, for a name and for a content.
@Suite(.serialized) struct ErrorCodeTests {
    private struct Refusal {
        var code: Int
        var word: String
        var errno: String
    }

    private static let refusals = [
        Refusal(code: 403, word: "forbidden", errno: "EACCES"),
        Refusal(code: 404, word: "not_found", errno: "ENOENT"),
        Refusal(code: 409, word: "resource_locked", errno: "EBUSY"),
        Refusal(code: 423, word: "", errno: "EBUSY"),
        Refusal(code: 409, word: "policy_error", errno: "EPERM"),
        Refusal(code: 400, word: "invalid_extension", errno: "EPERM"),
        Refusal(code: 400, word: "invalid_name", errno: "EINVAL"),
        Refusal(code: 400, word: "name_too_long", errno: "ENAMETOOLONG"),
        Refusal(code: 413, word: "", errno: "EFBIG"),
        Refusal(code: 507, word: "", errno: "EDQUOT"),
        Refusal(code: 410, word: "root_deleted", errno: "ENOENT"),
    ]

    @Test func refusalsKeepTheirMeaning() async throws {
        try await MountedCloud.with(options: MountedCloud.serverFirst + ["--poll", "3600"]) {
            (mounted) async throws -> Void in
            try await mounted.shell("ls; echo kept > a")
            let faults = mounted.cloud.server.faults
            for refusal in Self.refusals {
                let action = FaultAction.status(
                    code: refusal.code, error: refusal.word, retryAfter: nil)
                for kind in ["create_folder", "upload"] {
                    faults.add(FaultRule(action, routeKind: kind, times: nil))
                }
                let name = "f\(refusal.code)\(refusal.word)"
                let said = try await mounted.python(
                    "print(word(os.mkdir, 'd'), word(store, '\(name)', b'precious'))")
                // What is gone is stale for whoever holds it open.
                let held = refusal.errno == "ENOENT" ? "ESTALE" : refusal.errno
                #expect(said == "\(refusal.errno) \(held)", "\(refusal)")
                try await mounted.shell("[ \"$(cat \(name))\" = precious ]")
                let status = try await mounted.status()
                #expect(status.unsentNames.contains(name))
                faults.removeAll()
            }
            // What the server refused for good is still here after a remount.
            try await mounted.unmount()
            try await mounted.mount()
            try await mounted.shell(
                "ls f* | wc -l | grep -qx \(Self.refusals.count)"
                    + "; for i in f*; do [ \"$(cat $i)\" = precious ]; done")
        }
    }
}
