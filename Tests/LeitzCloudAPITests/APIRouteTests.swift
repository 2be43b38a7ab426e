import LeitzCloudAPI
import Testing

@Suite struct APIRouteTests {
    @Test func buildsTheDocumentsAddresses() {
        #expect(APIRoute.item(.root(7)) == "/api/2/files/7")
        #expect(APIRoute.item(.root(7), method: "upload") == "/api/2/files/7/upload")
        #expect(APIRoute.item(.folder(root: 7, folder: 8)) == "/api/2/files/7/folder/8")
        #expect(
            APIRoute.item(.file(root: 7, file: 9), method: "download")
                == "/api/2/files/7/9/download")
    }
}
