/// Dates of HTTP and WebDAV answers.
enum HTTPDate {
    private static let months = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]

    /// Seconds since 1970 of a date in one of HTTP's three forms (RFC 9110 section 5.6.7) or, as
    /// some servers send, in ISO 8601; nil for another text.
    static func seconds(_ text: String) -> Int64? {
        let words = text.split { $0 == " " || $0 == "," }.map(String.init)
        switch words.count {
        case 1: return isoSeconds(text)
        case 4:
            // Sunday, 06-Nov-94 08:49:37 GMT
            let date = words[1].split(separator: "-").map(String.init)
            guard date.count == 3, let short = Int(date[2]) else { return nil }
            let year = date[2].utf8.count > 2 ? short : short + (short < 70 ? 2_000 : 1_900)
            return seconds(year: year, month: date[1], day: date[0], time: words[2])
        case 5:
            // Sun Nov  6 08:49:37 1994
            guard let year = Int(words[4]) else { return nil }
            return seconds(year: year, month: words[1], day: words[2], time: words[3])
        case 6:
            // Sun, 06 Nov 1994 08:49:37 GMT
            guard let year = Int(words[3]) else { return nil }
            return seconds(year: year, month: words[2], day: words[1], time: words[4])
        default: return nil
        }
    }

    private static func seconds(
        year: Int, month name: String, day text: String, time: String
    ) -> Int64? {
        guard let month = months.firstIndex(of: name.prefix(3).lowercased()), let day = Int(text)
        else { return nil }
        return seconds(year: year, month: month + 1, day: day, time: time)
    }

    private static func seconds(year: Int, month: Int, day: Int, time text: String) -> Int64? {
        let time = text.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) }
        guard time.count == 3, let hour = time[0], let minute = time[1], let second = time[2],
            (0...9_999).contains(year), (1...12).contains(month), (1...31).contains(day),
            (0...23).contains(hour), (0...59).contains(minute), (0...60).contains(second)
        else { return nil }
        let days = daysSince1970(year: year, month: month, day: day)
        return days * 86_400 + Int64(hour * 3_600 + minute * 60 + second)
    }

    /// `1994-11-06T08:49:37Z`, with or without a fraction; another zone is not read.
    private static func isoSeconds(_ text: String) -> Int64? {
        guard text.hasSuffix("Z") else { return nil }
        let halves = text.dropLast().split(separator: "T")
        guard halves.count == 2 else { return nil }
        let date = halves[0].split(separator: "-").map { Int($0) }
        guard date.count == 3, let year = date[0], let month = date[1], let day = date[2],
            let time = halves[1].split(separator: ".").first
        else { return nil }
        return seconds(year: year, month: month, day: day, time: String(time))
    }

    /// Of the Gregorian calendar, counting years from March so that the leap day is the last.
    private static func daysSince1970(year: Int, month: Int, day: Int) -> Int64 {
        let shifted = month > 2 ? year : year - 1
        let era = (shifted >= 0 ? shifted : shifted - 399) / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return Int64(era * 146_097 + dayOfEra - 719_468)
    }
}
