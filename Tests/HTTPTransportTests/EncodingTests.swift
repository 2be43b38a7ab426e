import CloudStorage
import FileSystemTypes
import FoundationEssentials
import HTTPTransport
import Testing

@Suite struct EncodingTests {
    @Test func formFieldsEscapeEverythingButTheUnreserved() {
        #expect(FormEncoding.encode([("a b", "ü&=+%~")]) == "a%20b=%C3%BC%26%3D%2B%25~")
        #expect(FormEncoding.encode([("x", ""), ("y", "1")]) == "x=&y=1")
        #expect(FormEncoding.encode([]) == "")
    }

    private func multipart(_ name: String) -> MultipartFile {
        MultipartFile(
            field: "file", fileName: name, content: LocalContent(path: "/x", size: 5),
            boundary: "B")
    }

    @Test func aMultipartBodyIsFramedByItsBoundary() {
        let part = multipart("Übung.txt")
        let head = String(decoding: part.head, as: UTF8.self)
        #expect(
            head
                == "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"Übung.txt\"\r\n"
                + "Content-Type: application/octet-stream\r\n\r\n")
        #expect(String(decoding: part.tail, as: UTF8.self) == "\r\n--B--\r\n")
        #expect(part.totalSize == Int64(part.head.count + 5 + part.tail.count))
        #expect(part.contentType == "multipart/form-data; boundary=B")
    }

    @Test func namesThatServersReadDifferentlyAreSentTwice() {
        let quoted = String(decoding: multipart(#"a"b\c"#).head, as: UTF8.self)
        #expect(quoted.contains(#"filename="a\"b\\c"; filename*=UTF-8''a%22b%5Cc"#))
        let percent = String(decoding: multipart("50%22.txt").head, as: UTF8.self)
        #expect(percent.contains("filename*=UTF-8''50%2522.txt"))
        #expect(!String(decoding: multipart("50%.txt").head, as: UTF8.self).contains("filename*"))
    }

    @Test func aNameCannotBreakOutOfItsHeader() {
        let head = String(decoding: multipart("a\r\nX-Evil: 1\n\"; b").head, as: UTF8.self)
        #expect(head.split(separator: "\r\n", omittingEmptySubsequences: false).count == 5)
        #expect(!head.contains("\nX-Evil"))
    }

    @Test func boundariesAreNotRepeated() {
        let boundaries = Set((0..<1_000).map { _ in MultipartFile.randomBoundary() })
        #expect(boundaries.count == 1_000)
        #expect(boundaries.allSatisfy { $0.utf8.count <= 70 })
    }

    @Test func headersAreFoundInAnyCase() {
        let answer = HTTPAnswer(
            status: 503, headers: [("retry-after", "4"), ("X", "y")], body: Data())
        #expect(answer.header("Retry-After") == "4")
        #expect(answer.retryAfter == 4)
        #expect(!answer.isSuccess)
        let dated = HTTPAnswer(
            status: 503, headers: [("Retry-After", "Wed, 21 Oct 2015 07:28:00 GMT")], body: Data())
        #expect(dated.retryAfter == nil)
    }
}

@Suite struct DownloadPlanTests {
    private func plan(
        _ status: Int, _ length: String?, _ range: String?, _ asked: ByteRange?
    ) -> DownloadPlan? {
        DownloadPlan(status: status, contentLength: length, contentRange: range, requested: asked)
    }

    @Test func aWholeAnswerBeginsAtZeroWhateverWasAsked() {
        #expect(plan(200, "10", nil, ByteRange(4, 6))?.offset == 0)
        #expect(plan(200, "10", nil, nil)?.totalSize == 10)
        #expect(plan(200, nil, nil, nil)?.length == nil)
    }

    @Test func aPartIsTakenOnlyWhereItIsTheOneAskedFor() {
        let asked = ByteRange(4, 8)
        let good = plan(206, "4", "bytes 4-7/10", asked)
        #expect(good?.offset == 4)
        #expect(good?.totalSize == 10)
        #expect(good?.length == 4)
        #expect(plan(206, nil, "bytes 4-7/*", asked)?.totalSize == nil)
        // The file ends inside the range.
        #expect(plan(206, "2", "bytes 4-5/6", asked)?.length == 2)
    }

    @Test(arguments: [
        "bytes 3-7/10", "bytes 4-8/10", "bytes 4-6/10", "bytes 4-6/*", "bytes */10",
        "bytes 4-7/5", "items 4-7/10", "bytes 7-4/10", "bytes -4-7/10", "bytes 4-7", "",
        "bytes 4-9223372036854775807/*",
    ])
    func otherPartsAreRefused(range: String) {
        #expect(plan(206, nil, range, ByteRange(4, 8)) == nil)
    }

    @Test func whatWasNotAskedForIsRefused() {
        #expect(plan(206, "4", "bytes 4-7/10", nil) == nil)
        #expect(plan(206, "5", "bytes 4-7/10", ByteRange(4, 8)) == nil)
        #expect(plan(206, "4", nil, ByteRange(4, 8)) == nil)
        #expect(plan(204, nil, nil, nil) == nil)
        #expect(plan(200, "-1", nil, nil) == nil)
        #expect(plan(200, "ten", nil, nil) == nil)
    }
}
