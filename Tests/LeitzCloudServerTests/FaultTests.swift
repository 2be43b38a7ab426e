import AsyncHTTPClient
import Foundation
import LeitzCloudAPI
import LeitzCloudServer
import NIOCore
import NIOHTTP1
import Testing

@Suite struct FaultTests {
    @Test func statusesComeAsOftenAsTold() async throws {
        try await CloudHarness.run { harness async throws in
            harness.cloud.faults.add(
                FaultRule(
                    .status(code: 503, error: "temporarily_unavailable", retryAfter: 7),
                    method: "GET", routeKind: "root", skip: 1, times: 2))
            var seen: [Int] = []
            for _ in 0..<4 { seen.append(try await harness.get(harness.files).status) }
            #expect(seen == [200, 503, 503, 200])
            #expect(harness.cloud.faults.remaining.isEmpty)
        }
    }

    @Test func theAnswerToAFaultCarriesItsWord() async throws {
        try await CloudHarness.run { harness async throws in
            harness.cloud.faults.add(
                FaultRule(.status(code: 429, error: "slow_down", retryAfter: 3)))
            let answer = try await harness.get(harness.files)
            #expect(answer.failure == "429 slow_down")
            #expect(answer.headers["retry-after"] == ["3"])
            harness.cloud.faults.add(FaultRule(.expireToken))
            #expect(try await harness.get(harness.files).failure == "401 access_denied")
        }
    }

    @Test func aLostAnswerMeansTheWorkIsDone() async throws {
        try await CloudHarness.run { harness async throws in
            harness.cloud.faults.add(FaultRule(.loseAnswer, routeKind: "upload"))
            await #expect(throws: (any Error).self) { try await harness.upload("a", "x".utf8) }
            #expect(try await harness.paths() == ["/a"])
            harness.cloud.faults.add(FaultRule(.resetBeforeAnswer, routeKind: "create_folder"))
            await #expect(throws: (any Error).self) { try await harness.makeFolder("d") }
            #expect(try await harness.paths() == ["/a"])
        }
    }

    @Test func bodiesAreCutAndResized() async throws {
        try await CloudHarness.run { harness async throws in
            let content = String(repeating: "x", count: 600_000)
            let file = try await harness.uploaded("a", content)
            let place = harness.files + "/\(file.id)/download"
            harness.cloud.faults.add(FaultRule(.cutBody(afterBytes: 300_000), times: 1))
            await #expect(throws: (any Error).self) { try await harness.get(place) }
            harness.cloud.faults.add(FaultRule(.wrongLength(by: -1)))
            #expect(try await harness.get(place).body.readableBytes == 599_999)
            harness.cloud.faults.add(FaultRule(.wrongLength(by: 10)))
            #expect(try await harness.get(place).body.readableBytes == 600_010)
            #expect(try await harness.get(place).text == content)
        }
    }

    @Test func delaysHoldAnswersBack() async throws {
        try await CloudHarness.run { harness async throws in
            harness.cloud.faults.add(FaultRule(.delay(seconds: 0.2)))
            let start = ContinuousClock.now
            #expect(try await harness.get(harness.files).status == 200)
            #expect(ContinuousClock.now - start >= .milliseconds(200))
        }
    }

    @Test func hooksAreServedOnlyWhenAskedFor() async throws {
        try await CloudHarness.run { harness async throws in
            #expect(try await harness.get("/_test/counts").failure == "404 not_found")
        }
        try await CloudHarness.run(hooks: true) { harness async throws in
            var request = harness.request("/_test/faults", isAnonymous: true)
            request.method = .POST
            let rules = [
                FaultRule(.status(code: 500, error: "unknown", retryAfter: nil), routeKind: "root"),
                FaultRule(.delay(seconds: 0), times: nil),
            ]
            request.body = .bytes(ByteBuffer(bytes: try JSONEncoder().encode(rules)))
            #expect(try await harness.send(request).status == 200)
            #expect(harness.cloud.faults.remaining == rules)
            #expect(try await harness.get(harness.files).status == 500)
            let counts = try await harness.get("/_test/counts").decode([String: Int].self)
            #expect(counts["GET root"] == 1)
            var delete = harness.request("/_test/faults", isAnonymous: true)
            delete.method = .DELETE
            #expect(try await harness.send(delete).status == 200)
            #expect(harness.cloud.faults.remaining.isEmpty)
            let plain = #"{"action":{"loseAnswer":{}},"method":"POST"}"#
            request.body = .bytes(ByteBuffer(string: plain))
            #expect(try await harness.send(request).status == 200)
            #expect(
                harness.cloud.faults.remaining == [FaultRule(.loseAnswer, method: "POST")])
        }
    }
}
