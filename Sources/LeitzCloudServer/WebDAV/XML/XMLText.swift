import NIOCore

/// XML output by hand: a listing may have 100,000 entries.
extension ByteBuffer {
    /// The namespaces that every multistatus answer declares, with Nextcloud's prefixes.
    static let xmlNamespaces =
        " xmlns:d=\"DAV:\" xmlns:s=\"http://sabredav.org/ns\""
        + " xmlns:oc=\"http://owncloud.org/ns\" xmlns:nc=\"http://nextcloud.org/ns\""

    /// Writes text, escaped for element content and attribute values. What XML 1.0 can't hold
    /// becomes U+FFFD.
    mutating func writeXML(_ text: String) {
        var text = text
        let isPlain = text.withUTF8 { bytes in
            bytes.allSatisfy { byte in
                byte >= 0x20 && byte != UInt8(ascii: "&") && byte != UInt8(ascii: "<")
                    && byte != UInt8(ascii: ">") && byte != UInt8(ascii: "\"") && byte != 0xEF
            }
        }
        if isPlain {
            writeString(text)
            return
        }
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": writeStaticString("&amp;")
            case "<": writeStaticString("&lt;")
            case ">": writeStaticString("&gt;")
            case "\"": writeStaticString("&quot;")
            case "\t", "\n": writeString(String(scalar))
            case "\r": writeStaticString("&#13;")
            case "\u{0}"..<" ", "\u{FFFE}", "\u{FFFF}": writeStaticString("\u{FFFD}")
            default: writeString(String(scalar))
            }
        }
    }

    /// Writes `<prefix:local>` or another tag as it is.
    mutating func writeTag(_ tag: String) {
        writeInteger(UInt8(ascii: "<"))
        writeString(tag)
        writeInteger(UInt8(ascii: ">"))
    }

    /// Writes an element that holds only text.
    mutating func writeElement(_ tag: String, _ text: String) {
        writeTag(tag)
        writeXML(text)
        writeTag("/" + tag)
    }

    /// Writes an element of the body of a request again, so that it means the same anywhere.
    ///
    /// - Parameter scope: the default namespace where it is written.
    mutating func writeXML(_ element: XMLElement, scope: String = "") {
        writeString("<" + element.name.local)
        if element.name.namespace != scope {
            writeStaticString(" xmlns=\"")
            writeXML(element.name.namespace)
            writeStaticString("\"")
        }
        for (index, attribute) in element.attributes.enumerated() {
            writeAttribute(attribute.name, attribute.value, index)
        }
        if element.contents.isEmpty {
            writeStaticString("/>")
            return
        }
        writeStaticString(">")
        writeXML(element.contents, scope: element.name.namespace)
        writeTag("/" + element.name.local)
    }

    /// Writes what is in an element.
    mutating func writeXML(_ contents: [XMLElement.Content], scope: String = "") {
        for content in contents {
            switch content {
            case .text(let text): writeXML(text)
            case .element(let child): writeXML(child, scope: scope)
            }
        }
    }

    private mutating func writeAttribute(_ name: XMLName, _ value: String, _ index: Int) {
        switch name.namespace {
        case "": writeString(" " + name.local)
        case "http://www.w3.org/XML/1998/namespace": writeString(" xml:" + name.local)
        default:
            writeString(" xmlns:a\(index)=\"")
            writeXML(name.namespace)
            writeString("\" a\(index):" + name.local)
        }
        writeStaticString("=\"")
        writeXML(value)
        writeStaticString("\"")
    }
}
