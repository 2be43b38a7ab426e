import CloudStorage
import FoundationEssentials
import HTTPTransport
import Testing

@Suite struct ServerAddressTests {
    @Test(arguments: [
        ("web.leitz-cloud.com", "https://web.leitz-cloud.com"),
        (" https://Cloud.Example.COM/ ", "https://cloud.example.com"),
        ("https://a.example:443/api/2/", "https://a.example"),
        ("https://a.example:8443/x/api/2", "https://a.example:8443/x"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:80/", "http://localhost"),
        ("http://[::1]:99/", "http://[::1]:99"),
    ])
    func readsWhatPeopleType(text: String, address: String) throws {
        #expect(try ServerAddress(text).description == address)
    }

    @Test(arguments: [
        "http://cloud.example.com", "http://127.0.0.1.evil.example", "ftp://a.example",
        "https://user:secret@a.example", "https://a.example/?q=1", "https://a.example/#x", "",
        "https://", "https://a.example:0", "https://a.example:70000", "https://a.example:x",
        "https://a b.example", "https://exämple.com", "https://a.example/../x",
        "https://a.example/\u{1}",
    ])
    func refusesWhatIsUnsafeOrNoAddress(text: String) {
        #expect(throws: CloudStorageError.self) { try ServerAddress(text) }
    }

    @Test func buildsUrlsWithQueries() throws {
        let address = try ServerAddress("https://a.example/x")
        #expect(
            address.url("/api/2/person", query: [("q", "a b")])
                == "https://a.example/x/api/2/person?q=a%20b")
    }
}

@Suite struct RedirectTrailTests {
    private func answer(_ status: Int, _ location: String?) -> HTTPAnswer {
        HTTPAnswer(
            status: status, headers: location.map { [("Location", $0)] } ?? [], body: Data())
    }

    @Test func staysOnTheSameOrigin() throws {
        var trail = RedirectTrail(from: "https://a.example:8443/one")
        #expect(try trail.target(of: answer(302, "/two")) == "https://a.example:8443/two")
        #expect(
            try trail.target(of: answer(307, "https://A.example:8443/three"))
                == "https://A.example:8443/three")
        #expect(try trail.target(of: answer(200, "/four")) == nil)
        #expect(try trail.target(of: answer(304, "/four")) == nil)
    }

    @Test(arguments: [
        "https://b.example/", "http://a.example/", "//b.example/x", "https://a.example:444/",
        "https://a.example@b.example/", "relative", "",
    ])
    func neverLeavesIt(location: String) {
        var trail = RedirectTrail(from: "https://a.example/one")
        #expect(throws: CloudStorageError.self) { try trail.target(of: answer(302, location)) }
    }

    @Test func goesInNoCircles() throws {
        var trail = RedirectTrail(from: "https://a.example/one")
        for _ in 0..<3 { _ = try trail.target(of: answer(302, "/one")) }
        #expect(throws: CloudStorageError.self) { try trail.target(of: answer(302, "/one")) }
    }
}
