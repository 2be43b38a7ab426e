import FoundationEssentials

/// How long simulations run, and from which seed, as the environment says.
package enum SimulationSize {
    /// `ORDNER_SIMULATION_STEPS`, or what a usual run of the tests takes.
    package static func steps(usual: Int) -> Int { value("ORDNER_SIMULATION_STEPS") ?? usual }

    /// `ORDNER_SIMULATION_SEED`, or 1.
    package static var seed: UInt64 { UInt64(value("ORDNER_SIMULATION_SEED") ?? 1) }

    private static func value(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }
}
