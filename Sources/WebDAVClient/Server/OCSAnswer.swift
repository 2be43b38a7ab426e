import CloudStorage
import FoundationEssentials

/// The envelope of an OCS answer in JSON, version 1: the code stands in `meta`, 100 is success.
enum OCSAnswer {
    private struct Envelope<Value: Decodable>: Decodable {
        struct Content: Decodable {
            var meta: Meta
            var data: Value?

            enum CodingKeys: String, CodingKey { case meta, data }

            init(from decoder: any Decoder) throws {
                let container = try decoder.container(keyedBy: CodingKeys.self)
                meta = try container.decode(Meta.self, forKey: .meta)
                // Refusals carry an empty list instead of an object.
                data =
                    [100, 200].contains(meta.statuscode)
                    ? try container.decode(Value.self, forKey: .data) : nil
            }
        }
        struct Meta: Decodable {
            var statuscode: Int
            var message: String?
        }

        var ocs: Content
    }

    /// - Throws: `signInRequired` for 997, `invalidAnswer` for what is no OCS answer.
    static func decode<Value: Decodable>(
        _ type: Value.Type, from body: Data
    ) throws(CloudStorageError) -> Value {
        let content: Envelope<Value>.Content
        do {
            content = try JSONDecoder().decode(Envelope<Value>.self, from: body).ocs
        } catch {
            throw CloudStorageError(.invalidAnswer, "the answer is not what OCS promises")
        }
        guard let value = content.data else {
            let message = String((content.meta.message ?? "").prefix(200))
            let text = "OCS \(content.meta.statuscode): \(message)"
            switch content.meta.statuscode {
            case 997: throw CloudStorageError(.signInRequired, text)
            case 998, 404: throw CloudStorageError(.unsupported, text)
            default: throw CloudStorageError(.invalidAnswer, text)
            }
        }
        return value
    }
}

/// `cloud/user`: who is signed in. The id may differ from the name used to sign in.
struct CloudUser: Decodable {
    var id: String
    var displayName: String?

    enum CodingKeys: String, CodingKey {
        case id
        case displayName = "display-name"
    }
}

/// `cloud/capabilities`, as far as it changes what a client does.
struct CloudCapabilities: Decodable {
    struct Version: Decodable {
        /// ownCloud names itself here; Nextcloud has no such field.
        var product: String?
    }
    struct Capabilities: Decodable {
        var files: Files?
        var dav: DAV?
        var notify_push: NotifyPush?
    }
    struct NotifyPush: Decodable {
        var endpoints: Push?
    }
    /// Where Nextcloud's app notify_push tells of changes.
    struct Push: Decodable {
        var websocket: String?
        var pre_auth: String?
    }
    struct DAV: Decodable {
        /// `1.0`, also where version 2 is spoken.
        var chunking: String?
    }
    struct ChunkedUpload: Decodable {
        var max_size: Int64?
    }
    struct Files: Decodable {
        var locking: String?
        var chunked_upload: ChunkedUpload?
        var blacklisted_files: [String]?
        var blacklisted_files_regex: String?
        var forbidden_filenames: [String]?
        var forbidden_filename_basenames: [String]?
        var forbidden_filename_characters: [String]?
        var forbidden_filename_extensions: [String]?
    }

    var version: Version
    var capabilities: Capabilities

    /// Whether Nextcloud's app files_lock is there.
    var hasAppLocks: Bool { capabilities.files?.locking != nil }

    /// Nil where large uploads can't be sent in pieces.
    var largestChunk: Int64? {
        guard capabilities.dav?.chunking != nil else { return nil }
        return max(capabilities.files?.chunked_upload?.max_size ?? 10 << 20, ChunkPlan.smallest)
    }

    /// - Parameters:
    ///   - product: of `status.php`; a provider's own name on branded servers.
    ///   - features: of the `DAV` header.
    func kind(_ product: String?, _ features: Set<String>) -> WebDAVProfile.Kind {
        if features.contains(where: { $0.hasPrefix("nextcloud-") || $0.hasPrefix("nc-") }) {
            return .nextcloud
        }
        if version.product != nil { return .owncloud }
        return product == "Nextcloud" ? .nextcloud : .owncloud
    }

    var nameRules: WebDAVProfile.NameRules {
        let files = capabilities.files
        var rules = WebDAVProfile.NameRules()
        let names = (files?.forbidden_filenames ?? []) + (files?.blacklisted_files ?? [])
        rules.names = Set(names.map { $0.lowercased() })
        rules.baseNames = Set(
            (files?.forbidden_filename_basenames ?? []).map { $0.lowercased() })
        rules.characters = Set(files?.forbidden_filename_characters ?? [])
        rules.extensions = Set(
            (files?.forbidden_filename_extensions ?? []).map { $0.lowercased() })
        // The one expression ownCloud 10 comes with; another one is left to the server.
        if files?.blacklisted_files_regex == #"\.(part|filepart)$"# {
            rules.extensions.formUnion([".part", ".filepart"])
        }
        return rules
    }
}
