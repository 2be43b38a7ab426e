import FoundationEssentials

/// How long simulations run, and from which seed, as the environment says.
package enum SimulationSize {
    /// `ORDNER_SIMULATION_STEPS`, or what a usual run of the tests takes.
    package static func steps(usual: Int) -> Int { value("ORDNER_SIMULATION_STEPS") ?? usual }

    /// `ORDNER_SIMULATION_SEED`, or what a usual run of the tests begins with.
    package static func seed(usual: UInt64 = 1) -> UInt64 {
        value("ORDNER_SIMULATION_SEED").map { UInt64($0) } ?? usual
    }

    private static func value(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }
}
