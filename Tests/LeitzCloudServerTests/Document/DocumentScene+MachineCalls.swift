import LeitzCloudAPI

/// The chapters "Gerät" and "Aktivität".
extension DocumentScene {
    /// What acted and what was acted on is one of several; not every activity has more words.
    static let activityFields: Set<String> = [
        "acted_on_company_id", "actor_person_id", "data_text",
    ]
    private static let machine = "/api/2/machine/<machine_id>"
    private static let createBackup = "POST \(machine)/backups/create"

    func machineCall(_ line: String) -> DocumentedCall? {
        guard let word = Self.word(line, behind: Self.machine) else { return nil }
        if let call = mappingCall(word) ?? backupCall(word) { return call }
        var call = DocumentedCall(values: ["machine_id": self["machine"]])
        switch word {
        case "GET ":
            call.expected = [
                "id": number("machine"), "dns_name": .text("Google Nexus 6"),
                "guid": .text(self["guid"]), "os_type": .text("win"),
                "os_version": .text("5.1.0"),
            ]
        case "GET /status": break
        case "POST /server/enable": break
        // The other calls need the file server.
        case "POST /server/disable": call.values["machine_id"] = self["other machine"]
        case "POST /ls":
            call.fields = [("path", #"C:\"#), ("username", "user"), ("password", "x")]
            call.expected = ["results": .list([.text("Example1"), .text("Example2")])]
        default: return nil
        }
        return call
    }

    private func mappingCall(_ word: String) -> DocumentedCall? {
        var call = DocumentedCall(
            values: ["machine_id": self["machine"], "mapping_id": self["mapping"]])
        switch word {
        case "GET /mappings": break
        case "POST /mappings/create":
            call.fields = [
                ("root_id", self["own root"]), ("path", #"C:\Example1"#), ("username", "user"),
                ("password", "x"),
            ]
            call.expected = [
                "machine_id": number("machine"), "root_id": number("own root"),
                "path": .text(#"C:\Example1"#), "share": .flag(false),
                "person_id": number("user"),
            ]
        case "GET /mapping/<mapping_id>":
            call.expected = [
                "id": number("mapping"), "name": .text("Example Share"),
                "path": .text(#"C:\Example"#), "person_id": .null, "share": .flag(true),
            ]
        case "POST /mapping/<mapping_id>/delete": break
        default: return nil
        }
        return call
    }

    private func backupCall(_ word: String) -> DocumentedCall? {
        var call = DocumentedCall(
            values: ["machine_id": self["machine"], "root_id": self["backup"]])
        switch word {
        case "GET /backups": break
        case "POST /backups/create":
            call.fields = [("path", #"C:\Example"#), ("username", "user"), ("password", "x")]
            call.expected = ["path": .text(#"C:\Example"#), "machine_id": number("machine")]
        case "GET /backup/<root_id>":
            call.expected = ["id": number("backup"), "path": .text(#"C:\Kept"#)]
        case "POST /backup/<root_id>/restore":
            call.fields = [("path", #"C:\Back"#), ("to_machine_id", self["machine"])]
            call.expected = ["id": number("backup"), "path": .text(#"C:\Back"#)]
        case "POST /backup/<root_id>/delete":
            call.values["root_id"] = made(by: Self.createBackup)
        default: return nil
        }
        return call
    }

    func activityCall(_ line: String) -> DocumentedCall? {
        switch line {
        case "GET /api/2/activity/types": DocumentedCall()
        case "GET /api/2/activity/<activity_id>":
            // The document's example, with the numbers and names of here.
            DocumentedCall(
                values: ["activity_id": self["activity"]],
                expected: [
                    "acted_on_company_id": number("organization"), "acted_on_text": .text("Base"),
                    "acted_on_type": .text("site"), "activity_type_id": .integer(8),
                    "actor_person_id": number("person"), "actor_type": .text("person"),
                    "actor_text": .text("Anna Muster"), "processed": .flag(true),
                    "data_text": .text("increased from 4.00G to 100.00G"),
                ])
        case "POST /api/2/activity/create":
            DocumentedCall(
                fields: [
                    ("acted_on_company_id", self["organization"]), ("data_text", "painted"),
                    ("acted_on_text", "Office"),
                ],
                expected: [
                    "acted_on_company_id": number("organization"), "data_text": .text("painted"),
                    "acted_on_text": .text("Office"),
                ])
        default: nil
        }
    }
}
