import StateStore

/// Nodes whose readers the kernel serves by itself.
extension Node {
    /// Takes what was offered for the first handle, where it is this node's content and nobody else has it
    /// open: while some read through the driver and its pages, the kernel wants all to. Where the kernel
    /// has pages it uses these once more: to drop them takes it longer than to copy them.
    mutating func take(_ offer: inout BackedFile?) {
        guard let file = offer, backed == nil, openHandles == 0, !hasPages, file.isOnlyOurs else {
            return
        }
        backed = file
        offer = nil
    }

    /// Takes the working copy's file that was handed to the kernel, on the same condition.
    mutating func take(_ offer: inout InPlaceFile?) {
        guard let file = offer, inPlace == nil, backed == nil, openHandles == 0,
            working?.isInPlace(file) == true
        else { return }
        inPlace = file
        offer = nil
    }

    /// Whether a program that is about to read the file may leave its pages behind.
    var mayPassPages: Bool {
        backed == nil && working == nil && (server?.size ?? 0) >= DropBehind.smallestFile
    }

    /// At the last close: whether the kernel is to drop its pages, since the next open can do without.
    mutating func givesUpPages(of handle: FileHandle, smallest: Int64) -> Bool {
        guard openHandles == 0, hasPages, working == nil, let server, server.size >= smallest,
            hasReusedPages || handle.dropBehind?.hasPassed(server.size) == true
        else { return false }
        hasReusedPages = false
        pagesOf = nil
        return true
    }

    /// Counts one more handle as the kernel's; nil where the driver serves it.
    mutating func back(_ options: OpenOptions) -> OpenedFile.Backing? {
        if let inPlace {
            guard let number = inPlace.number else { return nil }
            inPlaceHandles += 1
            isClosingInPlace = false
            return OpenedFile.Backing(number: number, isOnlyMapped: false)
        }
        guard let backed else { return nil }
        backedHandles += 1
        let isWriter = options.contains(.write)
        if isWriter { backedWriters += 1 }
        if isWriter, backedWriters == 1 { backed.expectStores() }
        return OpenedFile.Backing(number: backed.number, isOnlyMapped: isWriter)
    }

    /// Ends one such handle. Returns the file where it was the last: it is to be ended.
    mutating func endBacked(_ options: OpenOptions) -> BackedFile? {
        backedHandles -= 1
        if options.contains(.write) { backedWriters -= 1 }
        guard backedHandles == 0 else { return nil }
        defer { backed = nil }
        return backed
    }

    /// Ends a handle of `inPlace`. The driver serves the next one that opens the file, if it was the last.
    mutating func endInPlace() {
        inPlaceHandles -= 1
        guard inPlaceHandles == 0 else { return }
        inPlace?.end()
        inPlace = nil
    }

    /// Whether the last program that had the file open by the kernel alone has closed it, and that is on
    /// its way to us.
    var isLeavingPlace: Bool {
        inPlace != nil && inPlaceHandles == 1 && isClosingInPlace
    }

    /// Whether programs may still have the file mapped by a handle that they have closed: then what they
    /// see, and what they store, is still to be that of the node.
    func isStillMapped(by handle: FileHandle) -> Bool {
        if handle.isInPlace, let inPlace { return inPlaceHandles == 1 && !inPlace.isOnlyOurs }
        guard handle.isBacked, let backed else { return false }
        if handle.isMappable {
            guard backedWriters == 1, backed.hasNoWriter else { return true }
        }
        return backedHandles == 1 && !backed.isOnlyOurs
    }
}
