import Crypto
import FoundationEssentials
import Glibc
import NIOCore
import NIOSSL
import SwiftASN1
import X509

/// The server's own certificate authority and its server certificate, kept in the data folder.
///
/// The authority is made once and stays, so that clients that trust `ca.pem` go on doing so; the
/// server certificate is made anew when it nears its end or when the host changes. Blocks on the
/// disk.
struct CertificateStore {
    let folder: DataFolder
    /// The host the server listens on.
    let host: String
    /// Seconds since 1970.
    let now: Int64

    private static let authorityDays: Int64 = 3650
    private static let serverDays: Int64 = 397
    private static let renewalDays: Int64 = 30
    /// Clocks of clients may be behind ours.
    private static let slackSeconds: Int64 = 86_400

    private struct Pair {
        var certificate: Certificate
        var key: P256.Signing.PrivateKey
    }

    /// The TLS configuration of the server, with certificates made where they are missing.
    func configuration() throws -> TLSConfiguration {
        let authority =
            try load(folder.authorityCertificate, folder.authorityKey) ?? makeAuthority()
        let server = try usableServerPair(authority) ?? makeServer(authority)
        let chain = try [server.certificate, authority.certificate].map {
            try NIOSSLCertificate(bytes: Array($0.serializeAsPEM().pemString.utf8), format: .pem)
        }
        let key = try NIOSSLPrivateKey(
            bytes: Array(server.key.pemRepresentation.utf8), format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        // Clients that do not answer the end of TLS are not waited for any longer.
        configuration.shutdownTimeout = .seconds(1)
        configuration.applicationProtocols = ["http/1.1"]
        return configuration
    }

    private func load(_ certificatePath: String, _ keyPath: String) throws -> Pair? {
        guard let certificate = try SystemFile.contents(of: certificatePath),
            let key = try SystemFile.contents(of: keyPath)
        else { return nil }
        return Pair(
            certificate: try Certificate(pemEncoded: String(decoding: certificate, as: UTF8.self)),
            key: try P256.Signing.PrivateKey(
                pemRepresentation: String(decoding: key, as: UTF8.self)))
    }

    private func save(_ pair: Pair, _ certificatePath: String, _ keyPath: String) throws {
        try SystemFile.replace(keyPath, with: Array(pair.key.pemRepresentation.utf8), mode: 0o600)
        try SystemFile.replace(
            certificatePath, with: Array(try pair.certificate.serializeAsPEM().pemString.utf8),
            mode: 0o644)
        try SystemFile.syncFolder(folder.path)
    }

    private func makeAuthority() throws -> Pair {
        let key = P256.Signing.PrivateKey()
        let name = try DistinguishedName {
            CommonName("Ordner embedded cloud CA \(TokenHash.random(bytes: 4))")
        }
        let publicKey = Certificate.PublicKey(key.publicKey)
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: publicKey,
            notValidBefore: date(now - Self.slackSeconds),
            notValidAfter: date(now + Self.authorityDays * 86_400), issuer: name, subject: name,
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                SubjectKeyIdentifier(hash: publicKey)
            }, issuerPrivateKey: Certificate.PrivateKey(key))
        let pair = Pair(certificate: certificate, key: key)
        try save(pair, folder.authorityCertificate, folder.authorityKey)
        return pair
    }

    /// The kept server certificate, nil where it ends soon or is made out to other names.
    private func usableServerPair(_ authority: Pair) throws -> Pair? {
        guard let pair = try load(folder.serverCertificate, folder.serverKey),
            pair.certificate.issuer == authority.certificate.subject,
            pair.certificate.notValidAfter > date(now + Self.renewalDays * 86_400),
            try pair.certificate.extensions.subjectAlternativeNames.map(Array.init) == names
        else { return nil }
        return pair
    }

    private func makeServer(_ authority: Pair) throws -> Pair {
        let key = P256.Signing.PrivateKey()
        let publicKey = Certificate.PublicKey(key.publicKey)
        let authorityIdentifier = SubjectKeyIdentifier(hash: authority.certificate.publicKey)
        let end = min(
            date(now + Self.serverDays * 86_400), authority.certificate.notValidAfter)
        let certificate = try Certificate(
            version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: publicKey,
            notValidBefore: date(now - Self.slackSeconds), notValidAfter: end,
            issuer: authority.certificate.subject,
            subject: try DistinguishedName { CommonName("Ordner embedded cloud") },
            signatureAlgorithm: .ecdsaWithSHA256,
            extensions: try Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames(names)
                SubjectKeyIdentifier(hash: publicKey)
                AuthorityKeyIdentifier(keyIdentifier: authorityIdentifier.keyIdentifier)
            }, issuerPrivateKey: Certificate.PrivateKey(authority.key))
        let pair = Pair(certificate: certificate, key: key)
        try save(pair, folder.serverCertificate, folder.serverKey)
        return pair
    }

    private var names: [GeneralName] {
        var names: [GeneralName] = [.dnsName("localhost")]
        for text in ["127.0.0.1", "::1"] where text != host {
            if let bytes = Self.address(text) {
                names.append(.ipAddress(ASN1OctetString(contentBytes: bytes[...])))
            }
        }
        if let bytes = Self.address(host) {
            names.append(.ipAddress(ASN1OctetString(contentBytes: bytes[...])))
        } else if host != "localhost" {
            names.append(.dnsName(host))
        }
        return names
    }

    /// The bytes of a numeric IPv4 or IPv6 address.
    private static func address(_ text: String) -> [UInt8]? {
        var four = in_addr()
        if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
        var six = in6_addr()
        if inet_pton(AF_INET6, text, &six) == 1 { return withUnsafeBytes(of: six) { Array($0) } }
        return nil
    }

    private func date(_ seconds: Int64) -> Date { Date(timeIntervalSince1970: Double(seconds)) }
}
