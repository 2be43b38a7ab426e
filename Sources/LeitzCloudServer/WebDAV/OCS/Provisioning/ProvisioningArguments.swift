import FoundationEssentials
import HTTPTypes
import HummingbirdCore
import NIOCore

/// The arguments of a provisioning call: of its query and of its body, which is a form or JSON.
struct ProvisioningArguments: Sendable {
    private var texts: [String: String] = [:]
    private var lists: [String: [String]] = [:]

    /// - Throws: `OCSRefusal` where the body is neither.
    init(_ request: Request) async throws {
        add(try FormFields(urlEncoded: request.uri.query ?? ""))
        let body = try await BodyPieces.collect(request, limit: RequestHandler.maximumForm)
        guard body.readableBytes > 0 else { return }
        let type = request.headers[.contentType]?.lowercased() ?? ""
        if type.hasPrefix("application/json") {
            try add(json: Data(body.readableBytesView))
        } else {
            add(try FormFields(urlEncoded: String(buffer: body)))
        }
    }

    /// Nil where it is not given.
    subscript(name: String) -> String? { texts[name] }

    /// Nil where it is not given. A form has its entries as `name[]`.
    func list(_ name: String) -> [String]? { lists[name] }

    /// Nil where it is not given; refuses what is no number.
    func number(_ name: String) throws(OCSRefusal) -> Int? {
        guard let text = texts[name], !text.isEmpty else { return nil }
        guard let number = Int(text), number >= 0 else { throw OCSRefusal(101, "\(name) is wrong") }
        return number
    }

    private mutating func add(_ form: FormFields) {
        for (name, value) in form.fields {
            if name.hasSuffix("]"), let bracket = name.firstIndex(of: "[") {
                lists[String(name[..<bracket]), default: []].append(value)
            } else if texts[name] == nil {
                texts[name] = value
            }
        }
    }

    private mutating func add(json: Data) throws(OCSRefusal) {
        let members: [String: Member]
        do {
            members = try JSONDecoder().decode([String: Member].self, from: json)
        } catch {
            throw OCSRefusal(400, "the body is no JSON object of texts and lists")
        }
        for (name, member) in members {
            switch member {
            case .text(let text): texts[name] = text
            case .list(let list): lists[name] = list
            case .null: break
            }
        }
    }

    private enum Member: Decodable {
        case text(String)
        case list([String])
        case null

        init(from decoder: any Decoder) throws {
            if let list = try? [String](from: decoder) {
                self = .list(list)
                return
            }
            let container = try decoder.singleValueContainer()
            if container.decodeNil() {
                self = .null
            } else if let flag = try? container.decode(Bool.self) {
                self = .text(flag ? "true" : "false")
            } else if let number = try? container.decode(Int64.self) {
                self = .text(String(number))
            } else {
                self = .text(try container.decode(String.self))
            }
        }
    }
}
