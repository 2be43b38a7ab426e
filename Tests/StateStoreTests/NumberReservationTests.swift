import StateStore
import Testing

@Suite struct NumberReservationTests {
    @Test func nothingIsHandedOutBeforeItIsReserved() {
        var numbers = NumberReservation(first: 2)
        guard case .exhausted(let end) = numbers.take() else {
            Issue.record("an unreserved number was handed out")
            return
        }
        #expect(end > 2)
        numbers.reserved(upTo: end)
        expectNext(&numbers, .number(2, reserve: nil))
        expectNext(&numbers, .number(3, reserve: nil))
    }

    @Test func theNextBlockIsAskedForOnceAndAhead() {
        var numbers = NumberReservation(first: 2)
        numbers.reserved(upTo: 2 + NumberReservation.smallestBlock)
        var asked: [UInt64] = []
        var taken: [UInt64] = []
        for _ in 0..<NumberReservation.smallestBlock {
            guard case .number(let number, let reserve) = numbers.take() else { break }
            taken.append(number)
            if let reserve { asked.append(reserve) }
        }
        #expect(taken == Array(2..<(2 + NumberReservation.smallestBlock)))
        #expect(asked == [2 + 2 * NumberReservation.smallestBlock])
        expectNext(&numbers, .exhausted(reserve: 2 + 3 * NumberReservation.smallestBlock))
        numbers.reserved(upTo: 2 + 3 * NumberReservation.smallestBlock)
        // The earlier answer, late, takes nothing back.
        numbers.reserved(upTo: asked[0])
        #expect(numbers.end == 2 + 3 * NumberReservation.smallestBlock)
        expectNext(&numbers, .number(2 + NumberReservation.smallestBlock, reserve: nil))
    }

    private func expectNext(_ numbers: inout NumberReservation, _ step: NumberReservation.Step) {
        let next = numbers.take()
        #expect(next == step)
    }
}
