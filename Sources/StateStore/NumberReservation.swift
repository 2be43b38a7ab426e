/// Hands out numbers from a block that is reserved on disk before any of it is used.
///
/// Pure: the owner writes the ends it is told to. Not thread-safe by itself.
package struct NumberReservation {
    /// What `take` found.
    package enum Step: Equatable {
        /// - Parameter reserve: the end to write next, where it is time to do so.
        case number(UInt64, reserve: UInt64?)
        /// Nothing may be handed out before this end is on disk.
        case exhausted(reserve: UInt64)
    }

    /// How many numbers are reserved at a time at first.
    package static let smallestBlock: UInt64 = 4096
    /// How many are reserved at a time where they are used fast.
    package static let largestBlock: UInt64 = 65_536

    /// The next number to hand out.
    package private(set) var next: UInt64
    /// Numbers below it are reserved on disk.
    package private(set) var end: UInt64
    private var block = smallestBlock
    private var isReserving = false

    /// - Parameter first: the stored end of the last reservation; nothing is reserved yet.
    package init(first: UInt64) {
        next = first
        end = first
    }

    /// The next number, if the reservation has one.
    package mutating func take() -> Step {
        guard next < end else {
            block = min(block * 2, Self.largestBlock)
            isReserving = true
            return .exhausted(reserve: end + block)
        }
        let number = next
        next += 1
        guard !isReserving, end - next < block / 2 else { return .number(number, reserve: nil) }
        isReserving = true
        return .number(number, reserve: end + block)
    }

    /// The reservation up to `newEnd` is on disk.
    package mutating func reserved(upTo newEnd: UInt64) {
        end = max(end, newEnd)
        isReserving = false
    }
}
