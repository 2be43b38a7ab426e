import FoundationEssentials
import TestSupport
import Testing

/// Random local changes against a model server: no job is ever impossible, and when things are
/// quiet both sides are equal.
///
/// `ORDNER_SIMULATION_STEPS` sets how many steps are taken (the nightly form takes a million),
/// `ORDNER_SIMULATION_SEED` where the seeds begin, so that a failure can be run again.
@Suite struct SimulationTests {
    @Test func bothSidesAgreeWhenAllIsQuiet() {
        let steps = SimulationSize.steps(usual: 10_000)
        var seed = SimulationSize.seed()
        var taken = 0
        var jobs = 0
        while taken < steps {
            var simulation = ReconciliationSimulation(seed: seed)
            simulation.run(steps: 1_000)
            if let failure = simulation.failure {
                Issue.record(
                    "seed \(seed): \(failure)\n\(simulation.log.joined(separator: "\n"))")
                return
            }
            taken += 1_000
            jobs += simulation.jobs
            seed += 1
        }
        #expect(jobs > taken / 20)
    }
}
