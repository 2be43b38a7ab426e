import LeitzCloudAPI

/// The chapter "File-System".
extension DocumentScene {
    private static let options = [
        ("include_children", "true"), ("include_deleted", "true"), ("include_lock_info", "true"),
        ("include_permissions", "true"), ("hash", "another"),
    ]
    private static let share = [
        ("login_required", "true"), ("expires", "2030-01-31"),
        ("subscribers", "guest@example.com,other@example.com"), ("notify_subscribers", "false"),
        ("download_limit", "3"), ("download_notify", "false"),
    ]

    func fileCall(_ line: String) -> DocumentedCall? {
        let path = "/api/2/files/<root_id>/<file_id>"
        guard let word = Self.word(line, behind: path) else { return nil }
        var call = DocumentedCall(values: ["root_id": self["team"], "file_id": self["a.txt"]])
        switch word {
        case "GET ":
            call.fields = [("include_permissions", "true")]
            call.expected = [
                "path": .text("/a.txt"), "id": number("a.txt"), "root_id": number("team"),
                "size": .integer(7), "is_deleted": .flag(false),
            ]
        case "GET /download": break
        case "POST /share":
            call.fields = Self.share
            call.expected = [
                "file_id": number("a.txt"), "folder_id": .null, "root_id": number("team"),
                "creator_id": number("person"), "expires": .text("2030-01-31T00:00:00"),
            ]
        case "POST /rename": call.fields = [("name", "b.txt")]
        case "POST /move": call.fields = [("to_folder_id", self["goal"])]
        case "POST /lock": call.fields = [("duration", "5")]
        case "POST /unlock", "POST /delete": break
        default: return nil
        }
        return call
    }

    func folderCall(_ line: String) -> DocumentedCall? {
        let path = "/api/2/files/<root_id>/folder/<folder_id>"
        guard let word = Self.word(line, behind: path) else { return nil }
        var call = DocumentedCall(values: ["root_id": self["team"], "folder_id": self["folder"]])
        switch word {
        case "GET ":
            call.fields = Self.options
            call.expected = ["path": .text("/folder"), "id": number("folder")]
        case "POST /upload":
            call.file = ("new.txt", "new")
            call.expected = ["path": .text("/folder/new.txt"), "size": .integer(3)]
        case "POST /create_folder":
            call.fields = [("name", "sub")]
            call.expected = ["path": .text("/folder/sub"), "root_id": number("team")]
        case "GET /download": break
        case "POST /share":
            call.fields = Self.share
            call.expected = ["folder_id": number("folder"), "file_id": .null]
            // The example is of a file.
            call.nullable = ["file_id"]
        case "POST /rename": call.fields = [("name", "renamed")]
        case "POST /move": call.fields = [("to_folder_id", self["goal"])]
        case "POST /lock": call.fields = [("duration", "5")]
        case "POST /unlock", "POST /delete": break
        default: return nil
        }
        return call
    }

    func rootCall(_ line: String) -> DocumentedCall? {
        guard let word = Self.word(line, behind: "/api/2/files/<root_id>") else { return nil }
        var call = DocumentedCall(values: ["root_id": self["team"]])
        switch word {
        case "GET ":
            call.fields = Self.options
            call.expected = [
                "id": number("team"), "name": .text("Team"), "root_type": .text("share"),
            ]
        case "POST /upload":
            call.file = ("root.txt", "of the root")
            call.expected = ["path": .text("/root.txt"), "size": .integer(11)]
        case "POST /create_folder":
            call.fields = [("name", "fresh")]
            call.expected = ["path": .text("/fresh")]
        case "GET /search": call.fields = [("q", "TAKEN")]
        case "GET /modified_since":
            call.fields = [("since", "2015-01-01 01:02:03"), ("include_deleted", "true")]
        case "POST /lock": call.fields = [("duration", "5")]
        case "POST /unlock": break
        default: return nil
        }
        return call
    }

    /// The method of a line, with what follows a path; nil for a line with another path.
    static func word(_ line: String, behind path: String) -> String? {
        guard let range = line.firstRange(of: " " + path) else { return nil }
        let rest = line[range.upperBound...]
        return rest.isEmpty || rest.hasPrefix("/") ? "\(line[..<range.lowerBound]) \(rest)" : nil
    }
}
