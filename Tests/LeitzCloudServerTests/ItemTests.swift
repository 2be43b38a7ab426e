import LeitzCloudAPI
import LeitzCloudServer
import Testing

@Suite struct ItemTests {
    @Test func foldersAreMadeRenamedMovedAndDeleted() async throws {
        try await CloudHarness.run { harness async throws in
            let one = try await harness.makeFolder("one")
            #expect(one.path == "/one")
            #expect(one.type == .folder)
            let two = try await harness.makeFolder("two", in: one.id)
            let file = try await harness.uploaded("f", folder: two.id)
            let place = harness.files + "/folder/\(two.id)"
            let renamed = try await harness.post(place + "/rename", [("name", "zwei")])
            #expect(renamed.text == #"{"status":"ok"}"#)
            #expect(try await harness.paths(two.id) == ["/one/zwei/f"])
            #expect(try await harness.post(place + "/move").status == 200)
            #expect(try await harness.paths() == ["/one", "/zwei"])
            let back = try await harness.post(place + "/move", [("to_folder_id", "\(one.id)")])
            #expect(back.status == 200)
            let top = try await harness.post(place + "/move", [("to_folder_id", "")])
            #expect(top.status == 200)
            #expect(try await harness.paths(one.id) == [])
            #expect(try await harness.post(place + "/delete").status == 200)
            let deleted = try await harness.get(harness.files + "/\(file.id)")
            #expect(try deleted.decode(WireItem.self).isDeleted == true)
            #expect(try await harness.post(place + "/delete").failure == "404 not_found")
            #expect(
                try await harness.get(harness.files + "/\(file.id)/download").failure
                    == "404 not_found")
            #expect(
                try await harness.upload("n", "x".utf8, folder: two.id).failure == "404 not_found")
        }
    }

    @Test func filesKeepTheirIdThroughRenameAndMove() async throws {
        try await CloudHarness.run { harness async throws in
            let folder = try await harness.makeFolder("d")
            let file = try await harness.uploaded("a", "inhalt")
            let place = harness.files + "/\(file.id)"
            #expect(try await harness.post(place + "/rename", [("name", "b")]).status == 200)
            let moved = try await harness.post(place + "/move", [("to_folder_id", "\(folder.id)")])
            #expect(moved.status == 200)
            let now = try await harness.get(place).decode(WireItem.self)
            #expect(now.path == "/d/b")
            #expect(now.revisionID == file.revisionID)
            #expect(now.modified == file.modified)
            #expect(try await harness.get(place + "/download").text == "inhalt")
        }
    }

    @Test func nothingIsEverReplaced() async throws {
        try await CloudHarness.run { harness async throws in
            let folder = try await harness.makeFolder("d")
            let a = try await harness.uploaded("a")
            let b = try await harness.uploaded("b")
            _ = try await harness.uploaded("a", folder: folder.id)
            let conflict = "409 name_conflict"
            for name in ["b", "d"] {
                #expect(
                    try await harness.post(harness.files + "/\(a.id)/rename", [("name", name)])
                        .failure == conflict)
            }
            #expect(
                try await harness.post(
                    harness.files + "/folder/\(folder.id)/rename", [("name", "b")]
                ).failure == conflict)
            #expect(
                try await harness.post(
                    harness.files + "/\(a.id)/move", [("to_folder_id", "\(folder.id)")]
                ).failure == conflict)
            for name in ["a", "d"] {
                #expect(
                    try await harness.post(harness.files + "/create_folder", [("name", name)])
                        .failure == conflict)
            }
            #expect(try await harness.upload("d", "x".utf8).failure == conflict)
            // Onto itself is no conflict.
            #expect(
                try await harness.post(harness.files + "/\(b.id)/rename", [("name", "b")]).status
                    == 200)
            #expect(try await harness.post(harness.files + "/\(b.id)/move").status == 200)
        }
    }

    @Test func namesAreChecked() async throws {
        try await CloudHarness.run { harness async throws in
            let file = try await harness.uploaded("a")
            let folder = try await harness.makeFolder("d")
            let bad = ["", ".", "..", "a/b", "a\\b", "a\u{0}b", "a\nb", "\u{7f}"]
            for name in bad {
                for place in [
                    "/create_folder", "/\(file.id)/rename", "/folder/\(folder.id)/rename",
                ] {
                    #expect(
                        try await harness.post(harness.files + place, [("name", name)]).failure
                            == "400 invalid_name", "\(name) \(place)")
                }
            }
            let long = String(repeating: "ä", count: 128)
            #expect(
                try await harness.post(harness.files + "/create_folder", [("name", long)]).failure
                    == "400 name_too_long")
            let missing = try await harness.post(harness.files + "/create_folder")
            #expect(missing.text.contains("Missing required parameter: name"))
            let odd = "a:*?\"<>| %25+&=\u{301}"
            #expect(try await harness.makeFolder(odd).path == "/" + odd)
            #expect(try await harness.makeFolder(String(long.dropLast())).path.utf8.count == 255)
        }
    }

    @Test func movesGoOnlyWhereTheyCan() async throws {
        try await CloudHarness.run { harness async throws in
            let outer = try await harness.makeFolder("outer")
            let inner = try await harness.makeFolder("inner", in: outer.id)
            let place = harness.files + "/folder/\(outer.id)/move"
            for id in [outer.id, inner.id] {
                let answer = try await harness.post(place, [("to_folder_id", "\(id)")])
                #expect(answer.failure == "400 invalid_request")
            }
            #expect(
                try await harness.post(place, [("to_folder_id", "0")]).failure == "404 not_found")
            #expect(
                try await harness.post(place, [("to_folder_id", "-1")]).failure == "404 not_found")
            let word = try await harness.post(place, [("to_folder_id", "x")])
            #expect(word.text.contains("Invalid value for parameter: to_folder_id"))
            let other = try await harness.cloud.ensureRoot(name: "Other", kind: "share")
            try await harness.cloud.subscribe(
                person: harness.person, root: other, permissions: fullAccess)
            let foreign = try await harness.post(
                "/api/2/files/\(other)/folder/\(outer.id)/rename", [("name", "x")])
            #expect(foreign.failure == "404 not_found")
        }
    }

    @Test func letterCaseCountsUnlessToldOtherwise() async throws {
        try await CloudHarness.run { harness async throws in
            _ = try await harness.uploaded("name")
            _ = try await harness.uploaded("NAME")
            var behaviour = harness.cloud.behaviour
            behaviour.isCaseSensitive = false
            harness.cloud.setBehaviour(behaviour)
            let folder = try await harness.makeFolder("ÄRA")
            #expect(try await harness.upload("ära", "x".utf8).failure == "409 name_conflict")
            // A change of case alone is no conflict with itself.
            let renamed = try await harness.post(
                harness.files + "/folder/\(folder.id)/rename", [("name", "ära")])
            #expect(renamed.status == 200)
        }
    }

    @Test func deletedNamesAreFreeUnlessToldOtherwise() async throws {
        try await CloudHarness.run { harness async throws in
            for _ in 0..<2 {
                let file = try await harness.uploaded("a")
                _ = try await harness.post(harness.files + "/\(file.id)/delete")
            }
            var behaviour = harness.cloud.behaviour
            behaviour.deletedNamesBlock = true
            harness.cloud.setBehaviour(behaviour)
            #expect(try await harness.upload("a", "x".utf8).failure == "409 name_conflict")
        }
    }

    @Test func excludedExtensionsAreRefused() async throws {
        var behaviour = ServerBehaviour()
        behaviour.excludedExtensions = [".tmp", ".QBA.TLG"]
        try await CloudHarness.run(behaviour) { harness async throws in
            let file = try await harness.uploaded("a.txt")
            for name in ["a.tmp", "a.TMP", ".tmp", "x.qba.tlg"] {
                #expect(try await harness.upload(name, "x".utf8).failure == "400 invalid_extension")
                #expect(
                    try await harness.post(harness.files + "/\(file.id)/rename", [("name", name)])
                        .failure == "400 invalid_extension")
            }
            _ = try await harness.uploaded("tmp")
            _ = try await harness.makeFolder("f.tmp")
        }
    }

    @Test func sharesAreDescribed() async throws {
        try await CloudHarness.run { harness async throws in
            let file = try await harness.uploaded("a")
            let folder = try await harness.makeFolder("d")
            let share = try await harness.post(
                harness.files + "/\(file.id)/share", [("expires", "2030-01-31")])
            let wire = try share.decode(WireShare.self)
            #expect(wire.fileID == file.id)
            #expect(wire.folderID == nil)
            #expect(wire.creatorID == harness.person)
            #expect(wire.expires?.text == "2030-01-31T00:00:00")
            let other = try await harness.post(harness.files + "/folder/\(folder.id)/share")
                .decode(WireShare.self)
            #expect(other.folderID == folder.id)
            #expect(other.hash != wire.hash)
            #expect(
                try await harness.post(
                    harness.files + "/\(file.id)/share", [("expires", "31.01.2030")]
                ).failure == "400 invalid_date_format")
        }
    }

    @Test func rightsDecideWhatAPersonMayDo() async throws {
        try await CloudHarness.run { harness async throws in
            let file = try await harness.uploaded("a", "inhalt")
            let place = harness.files + "/\(file.id)"
            let viewer = try await harness.other("view@example.com", ["FILE_VIEW"])
            let reader = try await harness.other("read@example.com", ["FILE_VIEW", "FILE_READ"])
            let stranger = try await harness.other("none@example.com", [])
            #expect(try await harness.get(place, token: stranger).failure == "403 forbidden")
            #expect(try await harness.get(place, token: viewer).status == 200)
            #expect(
                try await harness.get(place + "/download", token: viewer).failure
                    == "403 forbidden")
            #expect(try await harness.get(place + "/download", token: reader).text == "inhalt")
            #expect(
                try await harness.upload("b", "x".utf8, token: reader).failure == "403 forbidden")
            for (method, fields) in [
                ("rename", [("name", "b")]), ("move", []), ("delete", []), ("lock", []),
                ("unlock", []),
            ] {
                let answer = try await harness.post(place + "/" + method, fields, token: reader)
                #expect(answer.failure == "403 forbidden", "\(method)")
            }
            #expect(
                try await harness.post(
                    harness.files + "/create_folder", [("name", "x")], token: reader
                ).failure == "403 forbidden")
            let mine = try await harness.get(harness.files + "?include_permissions=true")
            let theirs = try await harness.get(
                harness.files + "?include_permissions=true", token: reader)
            #expect(try theirs.decode(WireListing.self).permissions == ["FILE_VIEW", "FILE_READ"])
            #expect(
                try mine.decode(WireListing.self).hash != theirs.decode(WireListing.self).hash)
        }
    }
}
