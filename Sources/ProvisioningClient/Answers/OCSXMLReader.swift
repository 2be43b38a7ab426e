import CloudStorage
import FoundationEssentials
import XMLStream

/// Reads an OCS answer in XML.
final class OCSXMLReader: XMLReceiver {
    /// Bytes of one element's text.
    private static let maximumText = 64 << 10
    private static let maximumNodes = 1_000_000
    /// Different names of elements.
    private static let maximumNames = 10_000
    /// The number of all names beyond.
    private static let nameless = -1

    private struct Open {
        var name: Int
        var text: [UInt8] = []
        var members: [OCSNode.Member] = []
        /// All members so far are called `element`, as the entries of lists are.
        var isList = true
    }

    private var names: [String] = []
    private var numbers: [String: Int] = [:]
    private var open: [Open] = []
    private var nodes = 0
    private var root: OCSNode.Member?

    private init() {}

    /// The content of the document element, which must be called `ocs`.
    /// - Throws: `invalidAnswer`.
    static func read(_ body: Data) throws(CloudStorageError) -> OCSNode {
        let reader = OCSXMLReader()
        let parser = XMLPushParser(receiver: reader)
        let result = body.withUnsafeBytes { bytes -> Result<Void, CloudStorageError> in
            do throws(CloudStorageError) {
                try parser.feed(bytes)
                return .success(try parser.finish())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
        guard let root = reader.root, root.name == "ocs" else {
            throw CloudStorageError(.invalidAnswer, "the answer is not what OCS promises")
        }
        return root.value
    }

    func number(of local: String, in namespace: String) -> Int {
        if let number = numbers[local] { return number }
        guard names.count < Self.maximumNames else { return Self.nameless }
        names.append(local)
        numbers[local] = names.count - 1
        return names.count - 1
    }

    func began(_ name: Int) throws(CloudStorageError) {
        nodes += 1
        guard nodes <= Self.maximumNodes, name != Self.nameless else {
            throw CloudStorageError(.invalidAnswer, "the answer has too many elements")
        }
        open.append(Open(name: name))
    }

    func text(_ bytes: UnsafeBufferPointer<UInt8>) throws(CloudStorageError) {
        guard let last = open.indices.last else { return }
        guard open[last].text.count + bytes.count <= Self.maximumText else {
            throw CloudStorageError(.invalidAnswer, "a text in the answer is too long")
        }
        open[last].text.append(contentsOf: bytes)
    }

    func ended(_ name: Int) throws(CloudStorageError) {
        guard let element = open.popLast() else { return }
        let member = OCSNode.Member(name: names[element.name], value: Self.value(of: element))
        guard let last = open.indices.last else { return root = member }
        open[last].members.append(member)
        if member.name != "element" { open[last].isList = false }
    }

    private static func value(of element: Open) -> OCSNode {
        guard element.members.isEmpty else {
            return element.isList
                ? .list(element.members.map(\.value)) : .object(element.members)
        }
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        guard let start = element.text.firstIndex(where: { !isSpace($0) }),
            let end = element.text.lastIndex(where: { !isSpace($0) })
        else { return .empty }
        return .text(String(decoding: element.text[start...end], as: UTF8.self))
    }
}
