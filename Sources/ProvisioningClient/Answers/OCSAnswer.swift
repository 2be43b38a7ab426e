import CloudStorage
import FoundationEssentials
import HTTPTransport

/// The envelope of an OCS answer, of either version and in either form.
struct OCSAnswer: Sendable {
    /// 100 (version 1) and 200 (version 2) mean that it was done.
    var code: Int
    var message: String
    var data: OCSNode

    var isSuccess: Bool { code == 100 || code == 200 }

    /// Reads an answer whatever its status.
    /// - Throws: `invalidAnswer` where it is no OCS answer.
    init(_ answer: HTTPAnswer) throws(CloudStorageError) {
        let node = try Self.document(answer.body)
        guard let meta = node["meta"], let code = meta["statuscode"]?.number,
            let code = Int(exactly: code)
        else { throw Self.unknown }
        self.code = code
        message = meta["message"]?.text ?? ""
        data = node["data"] ?? .empty
    }

    private static func document(_ body: Data) throws(CloudStorageError) -> OCSNode {
        let first = body.first { !($0 == 0x20 || (0x09...0x0D).contains($0)) }
        switch first {
        case UInt8(ascii: "<"): return try OCSXMLReader.read(body)
        case UInt8(ascii: "{"):
            let node: OCSNode
            do {
                node = try JSONDecoder().decode(OCSNode.self, from: body)
            } catch {
                throw unknown
            }
            guard let content = node["ocs"] else { throw unknown }
            return content
        default: throw unknown
        }
    }

    private static let unknown = CloudStorageError(
        .invalidAnswer, "the answer is not what OCS promises")
}
