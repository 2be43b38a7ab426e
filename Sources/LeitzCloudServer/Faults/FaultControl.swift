import Synchronization

/// The fault rules of a running server. Safe from any thread.
package final class FaultControl: Sendable {
    private static let maximumRules = 1000

    private let rules = Mutex<[FaultRule]>([])

    init() {}

    /// Adds a rule behind the others; the oldest goes where there are more than 1000.
    package func add(_ rule: FaultRule) {
        rules.withLock { rules in
            if rules.count >= Self.maximumRules { rules.removeFirst() }
            rules.append(rule)
        }
    }

    package func removeAll() { rules.withLock { $0 = [] } }

    /// The rules that have not done all their work, with what is left of `skip` and `times`.
    package var remaining: [FaultRule] { rules.withLock { $0 } }

    /// The actions of all rules that work on a request; counts the request for every matching rule.
    func take(method: String, path: String, kind: String) -> [FaultAction] {
        rules.withLock { rules in
            if rules.isEmpty { return [] }
            var actions: [FaultAction] = []
            for index in rules.indices
            where rules[index].matches(method: method, path: path, kind: kind) {
                if rules[index].skip > 0 {
                    rules[index].skip -= 1
                } else if let times = rules[index].times {
                    if times > 0 { actions.append(rules[index].action) }
                    rules[index].times = times - 1
                } else {
                    actions.append(rules[index].action)
                }
            }
            rules.removeAll { $0.times.map { $0 <= 0 } ?? false }
            return actions
        }
    }
}
