package import FileSystemTypes

/// A name in a folder, the folder given by the number this machine knows it by.
package struct NodePlace: Hashable, Sendable {
    package var folder: UInt64
    package var name: NameKey

    package init(folder: UInt64, name: String) {
        self.folder = folder
        self.name = NameKey(name)
    }
}

/// What this machine wants of an item and what the server has of it, where the two differ.
package struct Difference: Hashable, Sendable {
    /// Files include symbolic links: what has content of its own.
    package enum Kind: Hashable, Sendable {
        case file
        case folder
    }

    /// Content that the server does not have.
    package enum Content: Hashable, Sendable {
        case none
        /// A program is still writing it.
        case open
        /// Bytes of a state that may be sent.
        case ready(size: Int64)
    }

    /// What programs will probably do with it next.
    package enum Expectation: Hashable, Sendable {
        case nothing
        /// Its name is one that programs give to what they soon rename or remove.
        case otherName
        /// A program still has it open for writing.
        case moreContent
    }

    package var kind: Kind
    /// Where it is to be; nil: nowhere, it is removed.
    package var wanted: NodePlace?
    /// Where the server has it; nil: not yet.
    package var home: NodePlace?
    package var content: Content
    /// Bytes by which content that is ready makes the server's usage grow.
    package var growth: Int64
    /// The server has the content, with another modification time than a program gave the file;
    /// does not count where the file is to go.
    package var isTimeUnsent: Bool
    /// Removed, but still read by a program, and not all of it is on this machine.
    package var isHeld: Bool
    /// Seconds on the caller's clock of the last change; work begins when things have been quiet.
    package var changedAt: Double
    package var expectation: Expectation

    package init(
        kind: Kind, wanted: NodePlace?, home: NodePlace?, content: Content, growth: Int64 = 0,
        isTimeUnsent: Bool = false, isHeld: Bool = false, changedAt: Double,
        expectation: Expectation = .nothing
    ) {
        self.kind = kind
        self.wanted = wanted
        self.home = home
        self.content = content
        self.growth = growth
        self.isTimeUnsent = isTimeUnsent
        self.isHeld = isHeld
        self.changedAt = changedAt
        self.expectation = expectation
    }

    /// Whether the two sides agree, so that nothing is to be done.
    package var isSettled: Bool {
        guard content == .none, wanted == home, !isTimeUnsent || wanted == nil else { return false }
        return true
    }
}

/// The next thing to do on the server; numbers are those the differences were given under.
package enum ReconciliationJob: Hashable, Sendable {
    case makeFolder(UInt64)
    /// Uploads the content of a file: new, or as the next content of what the server has.
    case store(UInt64)
    /// Gives a file whose content the server has its modification time.
    case setTime(UInt64)
    /// Gives an item its wanted folder and name, which are free.
    case relocate(UInt64)
    /// Gives `item` the place of `removed`, a file that goes for it.
    case replace(item: UInt64, removed: UInt64)
    /// Deletes an item and, with a folder, everything in it.
    case delete(UInt64, with: [UInt64])
    /// Makes no call: `item`, which is only here, becomes the next content of `removed`, a file
    /// that the server has in its place and that nobody wants any more (DESIGN section 4, rule 2).
    case adopt(item: UInt64, removed: UInt64)
    /// Gives an item a temporary name, since a circle of items wait for one another's places.
    case stepAside(UInt64)

    /// The items the job works on.
    package var items: [UInt64] {
        switch self {
        case .makeFolder(let item), .store(let item), .setTime(let item), .relocate(let item),
            .stepAside(let item):
            [item]
        case .replace(let item, let removed), .adopt(let item, let removed): [item, removed]
        case .delete(let item, let others): [item] + others
        }
    }
}

/// How a job ended.
package enum ReconciliationResult: Hashable, Sendable {
    /// The differences that are left, if any, were set before.
    case done
    /// To be tried again; `after` is what the server asked for, in seconds.
    case retry(after: Double?)
    /// Somebody else holds a lock: looked at again now and then.
    case waiting
    /// Not to be tried again until the item changes or somebody asks.
    case refused
    /// Nothing was tried: the job under way on another item comes first.
    case after(UInt64)
}
