import CloudStorage
import FoundationEssentials
import LeitzCloudAPI

/// The fields of a POST of an administrative call: only what is set is sent.
struct FormBuilder {
    private(set) var fields: [(String, String)] = []

    mutating func add(_ name: String, _ text: String?) {
        if let text { fields.append((name, text)) }
    }

    mutating func add(_ name: String, _ number: Int64?) { add(name, number.map { String($0) }) }

    mutating func add(_ name: String, _ flag: Bool?) {
        add(name, flag.map { $0 ? "true" : "false" })
    }

    /// A JSON list; throws `invalidRequest` for one that JSON has no form for.
    mutating func add(_ name: String, _ list: (some WireValue)?) throws(CloudStorageError) {
        guard let json = list?.json else { return }
        let data: Data
        do { data = try JSONEncoder().encode(json) } catch {
            throw CloudStorageError(.invalidRequest, "\(name) can't be sent: \(error)")
        }
        add(name, String(decoding: data, as: UTF8.self))
    }

    mutating func add(_ password: NewPassword?) {
        switch password {
        case .given(let text): add("password", text)
        case .generated: add("generate_password", true)
        case nil: break
        }
    }

    /// What a policy sets; its type and number are the server's.
    mutating func add(_ policy: WirePolicy) {
        for (name, value) in policy.fields.sorted(by: { $0.key < $1.key })
        where name != "type" && name != "company_id" && name != "space_quota_formatted" {
            add(name, value.formText)
        }
    }
}

/// The password of a new account.
package enum NewPassword: Sendable, Hashable {
    case given(String)
    /// The server makes one up and sends it to the account's address.
    case generated
}

/// How long a new password is good for (`pw_expires`).
package enum PasswordLife: String, Sendable, CaseIterable {
    case unlimited = ""
    case sixHours = "6"
    case twelveHours = "12"
    case oneDay = "24"
}
