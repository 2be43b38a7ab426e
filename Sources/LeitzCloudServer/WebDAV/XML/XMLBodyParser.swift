import CLibXML2

/// Reads the XML body of a request into a tree, with libxml2's SAX push parser.
///
/// Nothing is fetched and no entity but the five predefined ones exists: a body with a DTD is
/// refused, as are namespaces that are none. The caller bounds the length of the body. Not for use
/// from two threads at once.
final class XMLBodyParser {
    /// The body is no XML, or none that a request has.
    struct Malformed: Error {
        var reason: String
    }

    private static let maximumDepth = 64
    private static let maximumElements = 20_000
    private static let saxVersion2: UInt32 = 0xDEED_BEAF

    private var open: [XMLElement] = []
    private var root: XMLElement?
    private var elements = 0
    private var failure: String?
    private var context: xmlParserCtxtPtr?

    private init() {}

    /// The document element.
    static func parse(_ body: UnsafeRawBufferPointer) throws(Malformed) -> XMLElement {
        let parser = XMLBodyParser()
        parser.read(body)
        if let failure = parser.failure { throw Malformed(reason: failure) }
        guard let root = parser.root else { throw Malformed(reason: "the body has no element") }
        return root
    }

    private func read(_ body: UnsafeRawBufferPointer) {
        var handler = xmlSAXHandler()
        handler.initialized = Self.saxVersion2
        handler.startElementNs = { context, local, _, namespace, _, _, count, _, attributes in
            XMLBodyParser.of(context)?.began(local, namespace, Int(count), attributes)
        }
        handler.endElementNs = { context, _, _, _ in XMLBodyParser.of(context)?.ended() }
        handler.characters = { context, text, count in
            XMLBodyParser.of(context)?.text(text, Int(count))
        }
        handler.cdataBlock = { context, text, count in
            XMLBodyParser.of(context)?.text(text, Int(count))
        }
        handler.internalSubset = { context, _, _, _ in
            XMLBodyParser.of(context)?.stop("the body has a DTD")
        }
        // Without it libxml2 writes its complaints to the standard error output.
        handler.serror = { _, _ in }
        let context = xmlCreatePushParserCtxt(
            &handler, Unmanaged.passUnretained(self).toOpaque(), nil, 0, nil)
        guard let context else {
            failure = "no memory for an XML parser"
            return
        }
        self.context = context
        xmlCtxtUseOptions(context, Int32(XML_PARSE_NONET.rawValue))
        xmlParseChunk(
            context, body.assumingMemoryBound(to: CChar.self).baseAddress, Int32(body.count), 1)
        // The return value counts warnings too: to libxml2 `DAV:` is a doubtful namespace.
        let isGood = context.pointee.wellFormed == 1 && context.pointee.nsWellFormed == 1
        if !isGood, failure == nil {
            failure = "the body is no XML (libxml2: \(context.pointee.errNo))"
        }
        self.context = nil
        xmlFreeParserCtxt(context)
    }

    // MARK: - Called by libxml2

    private static func of(_ context: UnsafeMutableRawPointer?) -> XMLBodyParser? {
        context.map { Unmanaged<XMLBodyParser>.fromOpaque($0).takeUnretainedValue() }
    }

    private func began(
        _ local: UnsafePointer<xmlChar>?, _ namespace: UnsafePointer<xmlChar>?, _ count: Int,
        _ attributes: UnsafeMutablePointer<UnsafePointer<xmlChar>?>?
    ) {
        elements += 1
        guard open.count < Self.maximumDepth, elements <= Self.maximumElements else {
            return stop("the body has too many elements")
        }
        var element = XMLElement(Self.name(local, namespace))
        // Each attribute is five pointers: name, prefix, namespace, begin and end of the value.
        for index in 0..<count {
            guard let attributes, let begin = attributes[index * 5 + 3],
                let end = attributes[index * 5 + 4]
            else { continue }
            let value = String(
                decoding: UnsafeBufferPointer(start: begin, count: end - begin), as: UTF8.self)
            element.attributes.append(
                (Self.name(attributes[index * 5], attributes[index * 5 + 2]), value))
        }
        open.append(element)
    }

    private func ended() {
        guard let element = open.popLast() else { return }
        if open.isEmpty {
            root = element
        } else {
            open[open.count - 1].contents.append(.element(element))
        }
    }

    private func text(_ text: UnsafePointer<xmlChar>?, _ count: Int) {
        guard let last = open.indices.last else { return }
        let text = String(
            decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
        open[last].contents.append(.text(text))
    }

    private func stop(_ reason: String) {
        guard failure == nil else { return }
        failure = reason
        if let context { xmlStopParser(context) }
    }

    private static func name(
        _ local: UnsafePointer<xmlChar>?, _ namespace: UnsafePointer<xmlChar>?
    ) -> XMLName {
        XMLName(
            namespace.map { String(cString: $0) } ?? "", local.map { String(cString: $0) } ?? "")
    }
}
