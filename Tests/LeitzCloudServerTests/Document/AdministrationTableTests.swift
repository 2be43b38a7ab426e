import Foundation
import Testing

/// The table of `Administration.md`: a row for every method of the API document, and what it names
/// is there.
@Suite struct AdministrationTableTests {
    private static let package = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    private struct Row {
        var method: String
        /// Client, command, embedded cloud, test.
        var cells: [String]
    }

    private func rows() throws -> [Row] {
        let file = Self.package.appendingPathComponent(
            "Sources/LeitzCloudClient/Documentation.docc/Administration.md")
        let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
        return lines.filter { $0.hasPrefix("| `GET ") || $0.hasPrefix("| `POST ") }.map { line in
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }.dropFirst().dropLast()
            let method = cells.first?.replacing("`", with: "").replacing(" ", with: " /api/2/")
            return Row(method: method ?? "", cells: Array(cells.dropFirst()))
        }
    }

    /// The text of all Swift files below a folder of the package.
    private func sources(_ folder: String) throws -> String {
        let top = Self.package.appendingPathComponent(folder)
        return try FileManager.default.subpathsOfDirectory(atPath: top.path)
            .filter { $0.hasSuffix(".swift") }
            .map { try String(contentsOf: top.appendingPathComponent($0), encoding: .utf8) }
            .joined(separator: "\n")
    }

    /// The names in code quotes, without arguments.
    private func names(_ cell: String) -> [String] {
        cell.split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }
            .map { String($0.element.prefix { $0 != "(" }.split(separator: ".").last ?? "") }
    }

    @Test func everyMethodHasARowWithoutAnEmptyCell() throws {
        let rows = try rows()
        let methods = try APIDocument.read().methods.map(\.line)
        #expect(rows.map(\.method) == methods)
        for row in rows {
            #expect(row.cells.count == 4, "\(row.method)")
            #expect(row.cells.allSatisfy { !$0.isEmpty }, "\(row.method)")
        }
    }

    @Test func whatTheTableNamesIsThere() throws {
        let tests = try sources("Tests")
        let client = try sources("Sources/LeitzCloudClient")
        let server = try sources("Sources/LeitzCloudServer")
        for row in try rows() {
            for name in names(row.cells[0]) {
                #expect(client.contains("func \(name)("), "\(row.method): \(name)")
            }
            for name in names(row.cells[2]) {
                let isThere = ["func \(name)(", "struct \(name)"].contains { server.contains($0) }
                #expect(isThere, "\(row.method): \(name)")
            }
            #expect(row.cells[3].contains("`"), "\(row.method)")
            for name in names(row.cells[3]) {
                #expect(tests.contains("func \(name)("), "\(row.method): \(name)")
            }
        }
    }
}
