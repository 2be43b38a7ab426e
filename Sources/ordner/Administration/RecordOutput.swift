import MountService

/// Shows objects of a cloud: tables for people, JSON for programs.
struct RecordOutput {
    let isJSON: Bool

    /// One page of a list, or all of it, a page at a time.
    func list(
        _ options: ListOptions, _ what: String,
        _ page: (Int64) async throws(ServiceFailure) -> RecordPage
    ) async throws {
        var offset = options.offset
        var widths: [Int] = []
        var isFirst = true
        var count: Int64 = 0
        while true {
            let found = try await page(offset)
            count += Int64(found.records.count)
            let isLast = !options.all || found.next == nil
            if isJSON {
                try showJSON(found.records, isFirst: isFirst, isLast: isLast)
            } else {
                showTable(found.records, &widths, withTitles: isFirst)
            }
            isFirst = false
            guard let next = found.next, !isLast else {
                tell(found, count, what)
                return
            }
            offset = next
        }
    }

    /// Says where the list goes on, beside the output that programs read.
    private func tell(_ page: RecordPage, _ count: Int64, _ what: String) {
        if count == 0, !isJSON { Message.say("No \(what).") }
        guard let next = page.next else { return }
        let total = page.total.map { " of \($0)" } ?? ""
        Message.show(
            "\(count)\(total) \(what). More with --offset \(next), all with --all.", on: 2)
    }

    /// A short list, whole.
    func list(_ records: [AdministrationRecord], _ what: String) throws {
        if isJSON { return try showJSON(records, isFirst: true, isLast: true) }
        if records.isEmpty { return Message.say("No \(what).") }
        var widths: [Int] = []
        showTable(records, &widths, withTitles: true)
    }

    /// One object with its details.
    func show(_ record: AdministrationRecord) throws {
        if isJSON { return Message.say(try JSONLine.text(record.object)) }
        let cells = (record.cells + record.details).filter { !$0.text.isEmpty }
        let width = cells.map { $0.title.count }.max() ?? 0
        for cell in cells {
            Message.say(Self.padded(Self.word(cell.title), width) + "  " + Self.clean(cell.text))
        }
    }

    private static func word(_ title: String) -> String {
        title == title.uppercased() ? title.prefix(1) + title.dropFirst().lowercased() : title
    }

    private func showJSON(_ records: [AdministrationRecord], isFirst: Bool, isLast: Bool) throws {
        var text = isFirst ? "[" : ""
        for (index, record) in records.enumerated() {
            text += isFirst && index == 0 ? "\n" : ",\n"
            text += try JSONLine.text(record.object)
        }
        if isLast { text += "\n]" }
        if !text.isEmpty { Message.say(text) }
    }

    private func showTable(
        _ records: [AdministrationRecord], _ widths: inout [Int], withTitles: Bool
    ) {
        guard let first = records.first else { return }
        if widths.isEmpty {
            widths = first.cells.indices.map { column in
                let cells = records.map { Self.clean($0.cells[column].text).count }
                return max(first.cells[column].title.count, cells.max() ?? 0)
            }
        }
        if withTitles { Message.say(Self.line(first.cells.map(\.title), widths)) }
        for record in records { Message.say(Self.line(record.cells.map(\.text), widths)) }
    }

    private static func line(_ texts: [String], _ widths: [Int]) -> String {
        var line = zip(texts, widths).map { padded(clean($0), $1) }.joined(separator: "  ")
        while line.hasSuffix(" ") { line.removeLast() }
        return line
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }

    /// What a server sends must not steer the terminal.
    static func clean(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            let isControl =
                scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
                || (0x202A...0x202E).contains(scalar.value)
                || (0x2066...0x2069).contains(scalar.value)
            result.unicodeScalars.append(isControl ? "?" : scalar)
        }
        return result
    }
}
