/// Nodes by their numbers.
///
/// They lie in blocks of a fixed size: a dictionary of things as big as nodes copies all of them
/// whenever it grows, and keeps room for twice as many. A block without nodes is given back.
struct NodeTable {
    static let blockSize = 128

    private struct Block {
        var nodes: [Node?] = []
        /// Places in `nodes` that are free.
        var free: [UInt8] = []
    }

    private var places: [UInt64: Int] = [:]
    private var blocks: [Block] = []
    /// Blocks that have room.
    private var roomy: Set<Int> = []

    var count: Int { places.count }
    /// Blocks, with those that hold nothing.
    var blockCount: Int { blocks.count }

    /// Nil where there is no such node; setting nil removes it.
    subscript(id: UInt64) -> Node? {
        _read {
            if let place = places[id] {
                yield blocks[place / Self.blockSize].nodes[place % Self.blockSize]
            } else {
                yield nil
            }
        }
        _modify {
            if let place = places[id] {
                let block = place / Self.blockSize
                yield &blocks[block].nodes[place % Self.blockSize]
                if blocks[block].nodes[place % Self.blockSize] == nil { free(place, of: id) }
            } else {
                var added: Node?
                yield &added
                if let added { insert(added, as: id) }
            }
        }
    }

    /// All nodes, in no order.
    var values: some Sequence<Node> {
        blocks.lazy.flatMap { $0.nodes.lazy.compactMap { $0 } }
    }

    /// The nodes of one block: a table too big to be gone through at once is taken block by block.
    func nodes(inBlock block: Int) -> some Sequence<Node> {
        (block < blocks.count ? blocks[block].nodes : []).lazy.compactMap { $0 }
    }

    private mutating func insert(_ node: Node, as id: UInt64) {
        let block = roomy.first ?? addBlock()
        if blocks[block].nodes.isEmpty {
            blocks[block].nodes = Array(repeating: nil, count: Self.blockSize)
            blocks[block].free = (0..<UInt8(Self.blockSize)).reversed()
        }
        guard let index = blocks[block].free.popLast() else { return }
        if blocks[block].free.isEmpty { roomy.remove(block) }
        blocks[block].nodes[Int(index)] = node
        places[id] = block * Self.blockSize + Int(index)
    }

    private mutating func addBlock() -> Int {
        blocks.append(Block())
        roomy.insert(blocks.count - 1)
        return blocks.count - 1
    }

    private mutating func free(_ place: Int, of id: UInt64) {
        places[id] = nil
        let block = place / Self.blockSize
        blocks[block].free.append(UInt8(place % Self.blockSize))
        roomy.insert(block)
        if blocks[block].free.count == Self.blockSize { blocks[block] = Block() }
    }
}
