import Foundation

/// The built `ordner`, which stands beside the test bundle.
package enum ProgramFile {
    /// The program is not there.
    package struct Missing: Error, CustomStringConvertible {
        let places: [String]
        package var description: String {
            "the program 'ordner' is not built; looked in \(places.joined(separator: ", ")). "
                + "Build it with: swift build -c release --product ordner"
        }
    }

    /// Throws where it has not been built, so that no test passes without it.
    package static func path() throws -> String {
        let source = URL(fileURLWithPath: #filePath)
        let package = source.deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let bundle = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        let places = [
            bundle.deletingLastPathComponent().appendingPathComponent("ordner").path,
            package.appendingPathComponent(".build/release/ordner").path,
        ]
        guard let place = places.first(where: FileManager.default.isExecutableFile(atPath:)) else {
            throw Missing(places: places)
        }
        return place
    }
}
