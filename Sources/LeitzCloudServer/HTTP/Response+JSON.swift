import HTTPTypes
import HummingbirdCore
import LeitzCloudAPI
import NIOCore

extension Response {
    init(json: ByteBuffer, status: HTTPResponse.Status = .ok) {
        self.init(
            status: status, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: json))
    }

    init(json value: some Encodable, status: HTTPResponse.Status = .ok) throws {
        self.init(json: try JSONText.encode(value), status: status)
    }

    /// `{"status": "ok"}`.
    static func ok() throws -> Response { try Response(json: WireStatus.ok) }

    init(_ error: APIError) {
        var buffer = ByteBuffer()
        buffer.writeStaticString("{\"error\":")
        buffer.writeJSON(error.body.error)
        if let description = error.body.errorDescription {
            buffer.writeStaticString(",\"error_description\":")
            buffer.writeJSON(description)
        }
        if let mode = error.body.twoStepMode {
            buffer.writeStaticString(",\"two_step_mode\":")
            buffer.writeJSON(mode)
        }
        buffer.writeStaticString("}")
        self.init(json: buffer, status: .init(code: error.status))
        if let seconds = error.retryAfter { headers[.retryAfter] = String(seconds) }
    }
}
