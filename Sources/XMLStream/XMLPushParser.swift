import CLibXML2
package import CloudStorage

/// Hears what an XML document says, in its order. What it throws ends the reading.
package protocol XMLReceiver: AnyObject {
    /// A number of the receiver's own for an element's name; asked once for most names, so that no
    /// text is compared for every element.
    ///
    /// - Parameter namespace: empty where the element has none.
    func number(of local: String, in namespace: String) -> Int

    /// An element begins, by the number of its name.
    func began(_ name: Int) throws(CloudStorageError)

    /// Text of the innermost element, in pieces as they come.
    func text(_ bytes: UnsafeBufferPointer<UInt8>) throws(CloudStorageError)

    /// The innermost element ends.
    func ended(_ name: Int) throws(CloudStorageError)
}

/// Reads an XML document that arrives in pieces of any size, with libxml2's SAX push parser.
///
/// No tree is built, nothing is fetched and no entity but the five predefined ones exists: a
/// document with a DTD is refused. Not for use from two threads at once.
package final class XMLPushParser {
    /// Elements within elements; no answer of a server comes near.
    private static let maximumDepth = 64
    private static let saxVersion2: UInt32 = 0xDEED_BEAF

    /// libxml2 keeps one copy of each name, so that its address stands for it.
    private struct NamePointers: Hashable {
        var local: UnsafePointer<xmlChar>
        var namespace: UnsafePointer<xmlChar>?
    }

    private weak var receiver: (any XMLReceiver)?
    private var context: xmlParserCtxtPtr?
    private var known: [NamePointers: Int] = [:]
    private var depth = 0
    private var failure: CloudStorageError?

    /// - Parameter receiver: not kept alive by the parser.
    package init(receiver: any XMLReceiver) {
        self.receiver = receiver
        var handler = xmlSAXHandler()
        handler.initialized = Self.saxVersion2
        handler.startElementNs = { context, local, _, namespace, _, _, _, _, _ in
            XMLPushParser.of(context)?.began(local, namespace)
        }
        handler.endElementNs = { context, local, _, namespace in
            XMLPushParser.of(context)?.ended(local, namespace)
        }
        handler.characters = { context, text, count in
            XMLPushParser.of(context)?.text(text, count)
        }
        handler.cdataBlock = { context, text, count in
            XMLPushParser.of(context)?.text(text, count)
        }
        handler.internalSubset = { context, _, _, _ in
            XMLPushParser.of(context)?.stop("the answer has a DTD")
        }
        // Without it libxml2 writes its complaints to the standard error output.
        handler.serror = { _, _ in }
        context = xmlCreatePushParserCtxt(
            &handler, Unmanaged.passUnretained(self).toOpaque(), nil, 0, nil)
        if let context { xmlCtxtUseOptions(context, Int32(XML_PARSE_NONET.rawValue)) }
    }

    deinit {
        if let context { xmlFreeParserCtxt(context) }
    }

    /// Reads the next piece.
    /// - Throws: `invalidAnswer` where the text is no well-formed XML, and what the receiver throws.
    package func feed(_ bytes: UnsafeRawBufferPointer) throws(CloudStorageError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(1 << 20)
            rest = rest.dropFirst(piece.count)
            let buffer = UnsafeRawBufferPointer(rebasing: piece)
            try parse(buffer.assumingMemoryBound(to: CChar.self), isLast: false)
        }
    }

    /// The document has ended.
    /// - Throws: `invalidAnswer` where it ends in the middle.
    package func finish() throws(CloudStorageError) {
        try parse(UnsafeBufferPointer(start: nil, count: 0), isLast: true)
    }

    private func parse(
        _ bytes: UnsafeBufferPointer<CChar>, isLast: Bool
    ) throws(CloudStorageError) {
        if let failure { throw failure }
        guard let context else {
            throw CloudStorageError(.invalidAnswer, "no memory for an XML parser")
        }
        xmlParseChunk(context, bytes.baseAddress, Int32(bytes.count), isLast ? 1 : 0)
        if let failure { throw failure }
        // The return value counts warnings too: to libxml2 `DAV:` is a doubtful namespace.
        guard context.pointee.wellFormed == 1 else {
            let error = CloudStorageError(
                .invalidAnswer, "the answer is no XML (libxml2: \(context.pointee.errNo))")
            failure = error
            throw error
        }
    }

    // MARK: - Called by libxml2

    private static func of(_ context: UnsafeMutableRawPointer?) -> XMLPushParser? {
        context.map { Unmanaged<XMLPushParser>.fromOpaque($0).takeUnretainedValue() }
    }

    private func began(
        _ local: UnsafePointer<xmlChar>?, _ namespace: UnsafePointer<xmlChar>?
    ) {
        depth += 1
        guard depth <= Self.maximumDepth else {
            return stop("the answer's elements are nested too deeply")
        }
        guard let receiver, let name = name(local, namespace, receiver) else { return }
        forward { receiver throws(CloudStorageError) in try receiver.began(name) }
    }

    private func ended(
        _ local: UnsafePointer<xmlChar>?, _ namespace: UnsafePointer<xmlChar>?
    ) {
        depth -= 1
        guard let receiver, let name = name(local, namespace, receiver) else { return }
        forward { receiver throws(CloudStorageError) in try receiver.ended(name) }
    }

    private func text(_ text: UnsafePointer<xmlChar>?, _ count: Int32) {
        let bytes = UnsafeBufferPointer(start: text, count: Int(count))
        forward { receiver throws(CloudStorageError) in try receiver.text(bytes) }
    }

    private func stop(_ reason: String) { stop(CloudStorageError(.invalidAnswer, reason)) }

    private func stop(_ error: CloudStorageError) {
        guard failure == nil else { return }
        failure = error
        if let context { xmlStopParser(context) }
    }

    private func forward(_ event: (any XMLReceiver) throws(CloudStorageError) -> Void) {
        guard failure == nil, let receiver else { return }
        do throws(CloudStorageError) {
            try event(receiver)
        } catch {
            stop(error)
        }
    }

    private func name(
        _ local: UnsafePointer<xmlChar>?, _ namespace: UnsafePointer<xmlChar>?,
        _ receiver: any XMLReceiver
    ) -> Int? {
        guard let local else { return nil }
        let pointers = NamePointers(local: local, namespace: namespace)
        if let name = known[pointers] { return name }
        let name = receiver.number(
            of: String(cString: local), in: namespace.map { String(cString: $0) } ?? "")
        if known.count < 1_000 { known[pointers] = name }
        return name
    }
}
