import NIOCore

/// A value of an OCS answer, which is written as JSON or as XML (FACTS 2.3).
enum OCSValue: Sendable {
    case object([(String, OCSValue)])
    case list([OCSValue])
    case text(String)
    case number(Int64)
    case flag(Bool)
    case null

    static func texts(_ texts: [String]) -> OCSValue { .list(texts.map { .text($0) }) }

    func writeJSON(to buffer: inout ByteBuffer) {
        switch self {
        case .text(let text): buffer.writeJSON(text)
        case .number(let number): buffer.writeJSON(number)
        case .flag(let flag): buffer.writeJSON(flag)
        case .null: buffer.writeStaticString("null")
        case .list(let values):
            buffer.writeStaticString("[")
            for (index, value) in values.enumerated() {
                if index > 0 { buffer.writeStaticString(",") }
                value.writeJSON(to: &buffer)
            }
            buffer.writeStaticString("]")
        case .object(let members):
            buffer.writeStaticString("{")
            for (index, (name, value)) in members.enumerated() {
                if index > 0 { buffer.writeStaticString(",") }
                buffer.writeJSON(name)
                buffer.writeStaticString(":")
                value.writeJSON(to: &buffer)
            }
            buffer.writeStaticString("}")
        }
    }

    /// Writes the content of an element; the entries of a list are called `element`.
    func writeXML(to buffer: inout ByteBuffer) {
        switch self {
        case .text(let text): buffer.writeXML(text)
        case .number(let number): buffer.writeString(String(number))
        case .flag(let flag): buffer.writeStaticString(flag ? "1" : "")
        case .null: break
        case .list(let values):
            for value in values { Self.write("element", value, &buffer) }
        case .object(let members):
            for (name, value) in members { Self.write(name, value, &buffer) }
        }
    }

    private static func write(_ name: String, _ value: OCSValue, _ buffer: inout ByteBuffer) {
        buffer.writeTag(name)
        value.writeXML(to: &buffer)
        buffer.writeTag("/" + name)
    }
}
