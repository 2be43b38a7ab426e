import CloudStorage
import FoundationEssentials
import HTTPTransport
import LeitzCloudClient
import WebDAVClient

/// What `ordner login` was asked for.
package struct LoginRequest: Sendable {
    package var name: AccountName
    /// As typed.
    package var url: String
    package var password: PasswordSource
    /// Nil: that of the account so far, or asked for.
    package var user: String?
    /// The code of the second step; nil: asked for where the server wants one.
    package var code: String?
    /// Absolute path of a PEM file.
    package var certificateAuthority: String?
    /// Nil: found out.
    package var type: String?
    /// Told the address where the person signs in with a browser; nil: with user and password.
    package var browser: (@Sendable (String) -> Void)?

    package init(name: AccountName, url: String, password: PasswordSource) {
        self.name = name
        self.url = url
        self.password = password
    }
}

/// Signing in to a server and out of it.
package struct AccountLogin: Sendable {
    private let store: AccountStore
    private let folders: ProgramFolders

    package init(folders: ProgramFolders) {
        self.folders = folders
        store = AccountStore(folders: folders)
    }

    /// Signs in, and keeps settings and tokens under the account's name.
    ///
    /// A wrong password is tried once only: servers lock an account after a few.
    package func signIn(_ request: LoginRequest) async throws(ServiceFailure) -> AccountSettings {
        let address = try Self.translating { () throws(CloudStorageError) in
            try ServerAddress(request.url)
        }
        let before = try store.existingSettings(of: request.name)
        try requireSameServer(address, before: before, name: request.name)
        let authority = request.certificateAuthority ?? before?.certificateAuthority
        let transport = try Self.transport(certificateAuthority: authority)
        let result: Result<AccountSettings, ServiceFailure>
        do throws(ServiceFailure) {
            let request = try await withGrant(request, address: address, transport: transport)
            let type = try await serverType(request.type, address: address, transport: transport)
            let user = try await self.user(request, before: before)
            var settings = AccountSettings(
                type: type, url: address.description, user: user, certificateAuthority: authority)
            if type == .leitzcloud {
                let credentials = try await credentials(
                    request, address: address, user: user, transport: transport)
                result = .success(try await keep(settings, credentials, of: request.name))
            } else {
                try await signIn(request, address: address, to: &settings, transport: transport)
                result = .success(settings)
            }
        } catch {
            result = .failure(error)
        }
        await transport.shutdown()
        return try result.get()
    }

    /// Signs in to a server that is known, and keeps settings and tokens under the name.
    func signIn(
        to settings: AccountSettings, _ name: AccountName, password: String
    ) async throws(ServiceFailure) {
        let address = try Self.translating { () throws(CloudStorageError) in
            try ServerAddress(settings.url)
        }
        let transport = try Self.transport(certificateAuthority: settings.certificateAuthority)
        var request = SignInRequest(address: address, user: settings.user, password: password)
        request.hostName = LocalHost.name
        let answer: Result<LeitzCloudCredentials, SignInError>
        do throws(SignInError) {
            request.guid = try? FileCredentialStore(account: name, folders: folders).existing()?
                .guid
            answer = .success(try await LeitzCloudSignIn.signIn(request, transport: transport))
        } catch {
            answer = .failure(error)
        }
        await transport.shutdown()
        switch answer {
        case .success(let credentials): _ = try await keep(settings, credentials, of: name)
        case .failure(let error): throw Self.failure(error)
        }
    }

    /// Makes the account's tokens worthless and forgets them.
    package func signOut(of name: AccountName) async throws(ServiceFailure) {
        let settings = try store.settings(of: name)
        let folders = folders
        let isSignedIn = store.isSignedIn(name)
        try await BlockingWork.run { () throws(ServiceFailure) in
            let mounts = try ControlClient(folders: folders).allStatuses()
            if let mount = mounts.first(where: { $0.account == name.rawValue }) {
                throw ServiceFailure(
                    "'\(name)' is mounted on \(mount.mountPoint)",
                    remedy: "Unmount it first: ordner unmount \(mount.mountPoint)")
            }
        }
        guard isSignedIn else { throw ServiceFailure("'\(name)' is signed out already") }
        if settings.type == .leitzcloud { return try await revoke(settings, of: name) }
        try await BlockingWork.run { () throws(ServiceFailure) in
            try CredentialFile<WebDAVAccount>(account: name, folders: folders).remove()
        }
    }

    private func revoke(
        _ settings: AccountSettings, of name: AccountName
    ) async throws(ServiceFailure) {
        let file = CredentialFile<LeitzCloudCredentials>(account: name, folders: folders)
        let credentials = try await BlockingWork.run { () throws(ServiceFailure) in
            try file.load()
        }
        let transport = try Self.transport(certificateAuthority: settings.certificateAuthority)
        var refusal: CloudStorageError?
        do { try await LeitzCloudSignIn.revoke(credentials, transport: transport) } catch {
            refusal = error
        }
        await transport.shutdown()
        try await BlockingWork.run { () throws(ServiceFailure) in try file.remove() }
        if let refusal {
            throw ServiceFailure(
                "the tokens are forgotten here, but the server was not told: \(refusal.message)",
                remedy: "To be sure, end this device's access in the server's web portal.")
        }
    }

    /// The connection to a server; shut it down in the end.
    static func transport(
        certificateAuthority: String?
    ) throws(ServiceFailure) -> HTTPTransport {
        var configuration = TransportConfiguration()
        configuration.certificateAuthorityFile = certificateAuthority
        return try translating { () throws(CloudStorageError) in
            try HTTPTransport(configuration)
        }
    }

    static func translating<Value>(
        _ work: () throws(CloudStorageError) -> Value
    ) throws(ServiceFailure) -> Value {
        do throws(CloudStorageError) { return try work() } catch {
            throw ServiceFailure(error.message)
        }
    }
}

extension AccountLogin {
    /// An account's state belongs to one server: another one under its name would mix them.
    private func requireSameServer(
        _ address: ServerAddress, before: AccountSettings?, name: AccountName
    ) throws(ServiceFailure) {
        guard let before, before.url != address.description else { return }
        throw ServiceFailure(
            "'\(name)' is an account of \(before.url) already", remedy: "Choose another name.")
    }

    private func serverType(
        _ wanted: String?, address: ServerAddress, transport: HTTPTransport
    ) async throws(ServiceFailure) -> AccountSettings.ServerType {
        if let wanted {
            guard let type = AccountSettings.ServerType(rawValue: wanted.lowercased()) else {
                throw ServiceFailure(
                    "accounts of type '\(wanted)' are not supported yet",
                    remedy: "Supported: "
                        + AccountSettings.ServerType.allCases.map(\.rawValue)
                        .joined(separator: ", "))
            }
            return type
        }
        let version: String?
        do throws(CloudStorageError) {
            version = try await LeitzCloudSignIn.detect(address, transport: transport)
        } catch {
            // BoringSSL's word for it.
            if error.message.contains("CERTIFICATE_VERIFY_FAILED") {
                throw ServiceFailure(
                    "the certificate of \(address) is not trusted by this machine",
                    remedy: "If the server has one of its own, name its file with --ca FILE.")
            }
            throw ServiceFailure(
                "\(address) can't be asked: \(error.message)",
                remedy: "Check the address and the network.")
        }
        return version != nil ? .leitzcloud : .webdav
    }

    /// The request with what a sign-in with a browser has given, where it asks for that.
    private func withGrant(
        _ request: LoginRequest, address: ServerAddress, transport: HTTPTransport
    ) async throws(ServiceFailure) -> LoginRequest {
        guard let browser = request.browser else { return request }
        var request = request
        do throws(CloudStorageError) {
            let flow = try await LoginFlow.begin(address, transport: transport)
            browser(flow.page)
            let credentials = try await flow.credentials()
            request.user = credentials.user
            request.password = .value(credentials.password)
            request.type = request.type ?? AccountSettings.ServerType.nextcloud.rawValue
        } catch {
            throw ServiceFailure(
                "sign-in failed: \(error.message)",
                remedy: error.kind == .unsupported
                    ? "Leave --browser out, and sign in with user and password." : nil)
        }
        return request
    }

    /// Signs in to a WebDAV server, and keeps what it is with user and password.
    private func signIn(
        _ request: LoginRequest, address: ServerAddress, to settings: inout AccountSettings,
        transport: HTTPTransport
    ) async throws(ServiceFailure) {
        let source = request.password
        let user = settings.user
        let password = try await BlockingWork.run { () throws(ServiceFailure) in
            try source.read(prompt: "Password (or app password) of \(user): ")
        }
        let login = WebDAVLogin(name: request.name, folders: folders, transport: transport)
        let (type, account) = try await login.signIn(
            address, user: user, password: password,
            as: request.type == nil ? nil : settings.type)
        settings.type = type
        let store = store
        let found = settings
        try await BlockingWork.run { () throws(ServiceFailure) in
            try login.keep(account)
            try store.save(found, of: request.name)
        }
    }

    private func user(
        _ request: LoginRequest, before: AccountSettings?
    ) async throws(ServiceFailure) -> String {
        if let user = request.user ?? before?.user { return user }
        let user = try await BlockingWork.run { () throws(ServiceFailure) in
            try Terminal.ask("User name or e-mail address: ")
        }
        guard !user.isEmpty else { throw ServiceFailure("the user name is empty") }
        return user
    }

    private func credentials(
        _ request: LoginRequest, address: ServerAddress, user: String, transport: HTTPTransport
    ) async throws(ServiceFailure) -> LeitzCloudCredentials {
        let source = request.password
        let known = try FileCredentialStore(account: request.name, folders: folders).existing()
        let password = try await BlockingWork.run { () throws(ServiceFailure) in
            try source.read(prompt: "Password of \(user): ")
        }
        var signIn = SignInRequest(address: address, user: user, password: password)
        signIn.authCode = request.code
        signIn.guid = known?.guid
        signIn.hostName = LocalHost.name
        do throws(SignInError) {
            return try await LeitzCloudSignIn.signIn(signIn, transport: transport)
        } catch {
            guard case .twoStepRequired(let mode) = error, request.code == nil else {
                throw Self.failure(error)
            }
            signIn.authCode = try await askForCode(mode)
        }
        do throws(SignInError) {
            return try await LeitzCloudSignIn.signIn(signIn, transport: transport)
        } catch {
            throw Self.failure(error)
        }
    }

    private func askForCode(_ mode: String) async throws(ServiceFailure) -> String {
        let origin =
            switch mode {
            case "email": "sent to you by e-mail"
            case "sms": "sent to you by SMS"
            default: "shown by your authenticator"
            }
        return try await BlockingWork.run { () throws(ServiceFailure) in
            guard Terminal.isPresent else {
                throw ServiceFailure(
                    "the account has two-step verification, and there is no terminal to ask on",
                    remedy: "Pass the code (\(origin)) with --code.")
            }
            return try Terminal.ask("Code, \(origin): ")
        }
    }

    private func keep(
        _ settings: AccountSettings, _ credentials: LeitzCloudCredentials, of name: AccountName
    ) async throws(ServiceFailure) -> AccountSettings {
        let store = store
        let credentialStore = FileCredentialStore(account: name, folders: folders)
        return try await BlockingWork.run { () throws(ServiceFailure) in
            try Self.translating { () throws(CloudStorageError) in
                try credentialStore.save(credentials)
            }
            try store.save(settings, of: name)
            return settings
        }
    }

    private static func failure(_ error: SignInError) -> ServiceFailure {
        switch error {
        case .wrongCredentials(let message):
            ServiceFailure(
                "the server refused the sign-in: \(message)",
                remedy: "Check user and password; after several failures it locks the account.")
        case .twoStepRequired:
            ServiceFailure(
                "the server did not take the two-step code",
                remedy: "Sign in again with a new code.")
        case .other(let error): ServiceFailure("sign-in failed: \(error.message)")
        }
    }
}
