import LeitzCloudAPI
import LeitzCloudServer
import Testing

@Suite struct LockTests {
    @Test func aLockKeepsOthersOutUntilItExpires() async throws {
        try await CloudHarness.run { harness async throws in
            let other = try await harness.other("b@example.com", fullAccess)
            let file = try await harness.uploaded("a")
            let place = harness.files + "/\(file.id)"
            #expect(try await harness.post(place + "/lock", [("duration", "10")]).status == 200)
            let item = try await harness.get(place, token: other).decode(WireItem.self)
            #expect(item.isLocked == true)
            #expect(
                item.locks == [
                    WireLock(
                        personID: harness.person, email: CloudHarness.email,
                        displayName: "Anna Muster",
                        expires: WireDate.format(harness.clock.now + 600))
                ])
            for (method, fields) in [
                ("rename", [("name", "b")]), ("move", []), ("delete", []), ("lock", []),
                ("unlock", []),
            ] {
                #expect(
                    try await harness.post(place + "/" + method, fields, token: other).failure
                        == "409 resource_locked", "\(method)")
            }
            #expect(try await harness.get(place + "/download", token: other).status == 200)
            harness.clock.advance(601)
            let free = try await harness.get(place).decode(WireItem.self)
            #expect(free.isLocked == false)
            #expect(free.locks == [])
            #expect(try await harness.post(place + "/lock", token: other).status == 200)
        }
    }

    @Test func theHolderMayExtendWorkAndUnlock() async throws {
        try await CloudHarness.run { harness async throws in
            let file = try await harness.uploaded("a")
            let place = harness.files + "/\(file.id)"
            _ = try await harness.post(place + "/lock", [("duration", "1")])
            _ = try await harness.post(place + "/lock")
            harness.clock.advance(3599)
            #expect(try await harness.get(place).decode(WireItem.self).isLocked == true)
            #expect(try await harness.post(place + "/rename", [("name", "b")]).status == 200)
            #expect(try await harness.get(place).decode(WireItem.self).isLocked == true)
            for _ in 0..<2 {
                #expect(try await harness.post(place + "/unlock").text == #"{"status":"ok"}"#)
            }
            #expect(try await harness.get(place).decode(WireItem.self).isLocked == false)
        }
    }

    @Test func durationsAreChecked() async throws {
        try await CloudHarness.run { harness async throws in
            let file = try await harness.uploaded("a")
            for duration in ["0", "-1", "x", "99999999"] {
                let answer = try await harness.post(
                    harness.files + "/\(file.id)/lock", [("duration", duration)])
                #expect(answer.text.contains("Invalid value for parameter: duration"))
            }
        }
    }

    @Test func aLockedFolderOrRootCoversEverythingInIt() async throws {
        try await CloudHarness.run { harness async throws in
            let other = try await harness.other("b@example.com", fullAccess)
            let outer = try await harness.makeFolder("outer")
            let inner = try await harness.makeFolder("inner", in: outer.id)
            let file = try await harness.uploaded("a", folder: inner.id)
            for place in [harness.files + "/folder/\(outer.id)", harness.files] {
                #expect(try await harness.post(place + "/lock").status == 200)
                let locked = "409 resource_locked"
                #expect(
                    try await harness.upload("b", "x".utf8, folder: inner.id, token: other).failure
                        == locked)
                #expect(
                    try await harness.post(
                        harness.files + "/folder/\(inner.id)/create_folder", [("name", "x")],
                        token: other
                    ).failure == locked)
                #expect(
                    try await harness.post(harness.files + "/\(file.id)/delete", token: other)
                        .failure == locked)
                let item = try await harness.get(harness.files + "/\(file.id)")
                    .decode(WireItem.self)
                #expect(item.isLocked == true)
                #expect(item.locks?.count == 1)
                #expect(
                    try await harness.upload("own", "x".utf8, folder: outer.id).status == 200)
                _ = try await harness.post(place + "/unlock")
                let own = try #require(
                    try await harness.listing(outer.id).children?.first {
                        $0.path == "/outer/own" && $0.isDeleted == false
                    })
                #expect(
                    try await harness.post(harness.files + "/\(own.id)/delete", token: other).status
                        == 200)
            }
            let root = try await harness.get(harness.files).decode(WireRoot.self)
            #expect(root.isLocked == false)
        }
    }

    @Test func aLockBelowProtectsTheFoldersAbove() async throws {
        try await CloudHarness.run { harness async throws in
            let other = try await harness.other("b@example.com", fullAccess)
            let outer = try await harness.makeFolder("outer")
            let inner = try await harness.makeFolder("inner", in: outer.id)
            let file = try await harness.uploaded("a", folder: inner.id)
            _ = try await harness.post(harness.files + "/\(file.id)/lock")
            let place = harness.files + "/folder/\(outer.id)"
            for (method, fields) in [
                ("delete", []), ("rename", [("name", "x")]), ("move", []), ("lock", []),
            ] {
                #expect(
                    try await harness.post(place + "/" + method, fields, token: other).failure
                        == "409 resource_locked", "\(method)")
            }
            #expect(try await harness.post(place + "/delete").status == 200)
        }
    }

    @Test func lockInformationCanBeLeftOut() async throws {
        try await CloudHarness.run { harness async throws in
            let file = try await harness.uploaded("a")
            _ = try await harness.post(harness.files + "/\(file.id)/lock")
            let listing = try await harness.listing(nil, "?include_lock_info=false")
            #expect(listing.isLocked == nil)
            #expect(listing.children?.first?.isLocked == nil)
            #expect(listing.children?.first?.locks == nil)
        }
    }

    @Test func thePolicyMayForbidLocking() async throws {
        var behaviour = ServerBehaviour()
        behaviour.userLockFiles = false
        try await CloudHarness.run(behaviour) { harness async throws in
            let file = try await harness.uploaded("a")
            #expect(
                try await harness.post(harness.files + "/\(file.id)/lock").failure
                    == "403 forbidden")
        }
    }

    @Test func anUploadOntoALockedFileIsRefused() async throws {
        var behaviour = ServerBehaviour()
        behaviour.uploadOntoName = .revision
        try await CloudHarness.run(behaviour) { harness async throws in
            let other = try await harness.other("b@example.com", fullAccess)
            let file = try await harness.uploaded("a")
            _ = try await harness.post(harness.files + "/\(file.id)/lock")
            #expect(
                try await harness.upload("a", "y".utf8, token: other).failure
                    == "409 resource_locked")
            #expect(try await harness.upload("a", "y".utf8).status == 200)
        }
    }
}
