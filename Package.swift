// swift-tools-version: 6.2
import PackageDescription

// The list of targets is the architecture: see the README of each target's documentation, and
// scripts/check-imports, which holds every import line against this list.

let swiftSettings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

func target(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["TestSupport"], swiftSettings: swiftSettings)
}

extension Target.Dependency {
    static let asyncHTTPClient = product(name: "AsyncHTTPClient", package: "async-http-client")
    static let nioCore = product(name: "NIOCore", package: "swift-nio")
    static let nioPosix = product(name: "NIOPosix", package: "swift-nio")
    static let nioHTTP1 = product(name: "NIOHTTP1", package: "swift-nio")
    static let nioWebSocket = product(name: "NIOWebSocket", package: "swift-nio")
    static let nioFoundation = product(name: "NIOFoundationCompat", package: "swift-nio")
    static let nioSSL = product(name: "NIOSSL", package: "swift-nio-ssl")
    static let httpTypes = product(name: "HTTPTypes", package: "swift-http-types")
    static let logging = product(name: "Logging", package: "swift-log")
    static let metrics = product(name: "Metrics", package: "swift-metrics")
    static let heap = product(name: "HeapModule", package: "swift-collections")
    static let grdb = product(name: "GRDB", package: "GRDB.swift")
    static let system = product(name: "SystemPackage", package: "swift-system")
    static let hummingbirdCore = product(name: "HummingbirdCore", package: "hummingbird")
    static let hummingbirdTLS = product(name: "HummingbirdTLS", package: "hummingbird")
    static let x509 = product(name: "X509", package: "swift-certificates")
    static let asn1 = product(name: "SwiftASN1", package: "swift-asn1")
    static let crypto = product(name: "Crypto", package: "swift-crypto")
    static let cryptoExtras = product(name: "CryptoExtras", package: "swift-crypto")
    static let serviceLifecycle = product(
        name: "ServiceLifecycle", package: "swift-service-lifecycle")
    static let argumentParser = product(
        name: "ArgumentParser", package: "swift-argument-parser")
    static let tomlKit = product(name: "TOMLKit", package: "TOMLKit")
}

let package = Package(
    name: "ordner",
    products: [.executable(name: "ordner", targets: ["ordner"])],
    dependencies: [
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-certificates", from: "1.21.1"),
        .package(url: "https://github.com/apple/swift-asn1", from: "1.7.4"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/LebJe/TOMLKit", from: "0.6.0"),
    ],
    targets: [
        .target(name: "CFuse3", linkerSettings: [.linkedLibrary("fuse3")]),
        .target(name: "CCRC32C"),
        target("FileSystemTypes"),
        target("CloudStorage", ["FileSystemTypes"]),
        target(
            "HTTPTransport",
            [
                "CloudStorage", "FileSystemTypes", .asyncHTTPClient, .nioCore, .nioPosix,
                .nioHTTP1, .nioSSL, .nioWebSocket, .nioFoundation, .logging, .metrics,
            ]),
        target("LeitzCloudAPI"),
        target(
            "LeitzCloudClient",
            ["CloudStorage", "FileSystemTypes", "LeitzCloudAPI", "HTTPTransport", .logging]),
        .systemLibrary(
            name: "CLibXML2", pkgConfig: "libxml-2.0", providers: [.apt(["libxml2-dev"])]),
        target("XMLStream", ["CLibXML2", "CloudStorage"]),
        // Its tests look at what is read of an answer from inside.
        .target(
            name: "WebDAVClient",
            dependencies: [
                "XMLStream", "CloudStorage", "FileSystemTypes", "HTTPTransport", .logging, .crypto,
            ],
            swiftSettings: swiftSettings + [.unsafeFlags(["-enable-testing"])]),
        // Its tests look at what is read of an answer from inside.
        .target(
            name: "ProvisioningClient",
            dependencies: ["XMLStream", "CloudStorage", "HTTPTransport"],
            swiftSettings: swiftSettings + [.unsafeFlags(["-enable-testing"])]),
        // Its tests look at block maps and plans from inside, in the one configuration there is.
        .target(
            name: "BlockCache",
            dependencies: ["CCRC32C", "FileSystemTypes", "CloudStorage", .system],
            swiftSettings: swiftSettings + [.unsafeFlags(["-enable-testing"])]),
        target("StateStore", ["FileSystemTypes", "CloudStorage", .grdb]),
        target("Reconciler", ["FileSystemTypes", "CloudStorage", .heap]),
        target("LockManager", ["FileSystemTypes", "CloudStorage"]),
        target("ChangeFeed", ["CloudStorage"]),
        target(
            "VirtualFileSystem",
            [
                "FileSystemTypes", "CloudStorage", "BlockCache", "StateStore", "Reconciler",
                "LockManager", "ChangeFeed", .logging, .metrics,
            ]),
        target("FuseAdapter", ["CFuse3", "FileSystemTypes", "VirtualFileSystem", .logging]),
        target(
            "LeitzCloudServer",
            [
                "CLibXML2", "LeitzCloudAPI", .hummingbirdCore, .hummingbirdTLS, .grdb, .x509, .asn1,
                .crypto, .cryptoExtras, .nioCore, .nioPosix, .nioHTTP1, .nioSSL, .nioWebSocket,
                .httpTypes, .logging, .serviceLifecycle,
            ]),
        target(
            "MountService",
            [
                "FileSystemTypes", "CloudStorage", "HTTPTransport", "LeitzCloudAPI",
                "LeitzCloudClient", "WebDAVClient", "ProvisioningClient", "LeitzCloudServer",
                "BlockCache", "StateStore", "VirtualFileSystem", "FuseAdapter",
                .serviceLifecycle, .logging, .tomlKit, .system,
            ]),
        .executableTarget(
            name: "ordner", dependencies: ["MountService", .argumentParser],
            swiftSettings: swiftSettings),

        .target(
            name: "TestSupport",
            dependencies: [
                "FileSystemTypes", "CloudStorage", "LeitzCloudClient", "LeitzCloudServer",
                "HTTPTransport", .nioCore, .nioPosix, .nioHTTP1, .logging,
            ],
            path: "Tests/TestSupport", swiftSettings: swiftSettings),
        tests("FileSystemTypesTests", ["FileSystemTypes"]),
        tests("LeitzCloudAPITests", ["LeitzCloudAPI"]),
        tests(
            "HTTPTransportTests",
            ["HTTPTransport", "CloudStorage", "FileSystemTypes", .nioCore, .nioPosix]),
        .testTarget(
            name: "LeitzCloudServerTests",
            dependencies: [
                "LeitzCloudServer", "LeitzCloudAPI", "TestSupport", .asyncHTTPClient, .nioCore,
                .nioHTTP1, .nioSSL, .logging,
            ],
            exclude: ["Documents"], swiftSettings: swiftSettings),
        tests(
            "LeitzCloudClientTests",
            [
                "LeitzCloudClient", "LeitzCloudServer", "LeitzCloudAPI", "CloudStorage",
                "HTTPTransport", "FileSystemTypes",
            ]),
        .testTarget(
            name: "WebDAVClientTests",
            dependencies: [
                "WebDAVClient", "CloudStorage", "HTTPTransport", "FileSystemTypes", "TestSupport",
                .nioCore, .nioPosix, .nioHTTP1, .logging,
            ],
            exclude: ["Samples"], swiftSettings: swiftSettings),
        .testTarget(
            name: "ProvisioningClientTests",
            dependencies: [
                "ProvisioningClient", "LeitzCloudServer", "LeitzCloudClient", "LeitzCloudAPI",
                "CloudStorage", "HTTPTransport", "TestSupport", .nioCore, .nioPosix, .nioHTTP1,
                .logging,
            ],
            exclude: ["Samples", "Documents"], swiftSettings: swiftSettings),
        tests(
            "CloudStorageContractTests",
            [
                "CloudStorage", "FileSystemTypes", "LeitzCloudClient", "LeitzCloudServer",
                "WebDAVClient", "HTTPTransport", .nioCore, .nioPosix,
            ]),
        tests("BlockCacheTests", ["BlockCache", "FileSystemTypes", "CloudStorage"]),
        tests("StateStoreTests", ["StateStore", "FileSystemTypes", "CloudStorage"]),
        tests("ReconcilerTests", ["Reconciler", "FileSystemTypes", "CloudStorage"]),
        tests("LockManagerTests", ["LockManager", "CloudStorage", "FileSystemTypes"]),
        tests("ChangeFeedTests", ["ChangeFeed", "CloudStorage", "FileSystemTypes"]),
        tests(
            "VirtualFileSystemTests",
            [
                "VirtualFileSystem", "FileSystemTypes", "CloudStorage", "StateStore", "BlockCache",
                "ChangeFeed", .logging,
            ]),
        tests(
            "ModelTests",
            [
                "VirtualFileSystem", "FileSystemTypes", "CloudStorage", "StateStore", "BlockCache",
                .logging,
            ]),
        tests("FuseAdapterTests", ["FuseAdapter", "FileSystemTypes", "VirtualFileSystem"]),
        tests(
            "MountTests",
            [
                "LeitzCloudClient", "LeitzCloudServer", "WebDAVClient", "HTTPTransport",
                "CloudStorage", "FileSystemTypes",
            ]),
        tests("CommandLineTests", ["LeitzCloudServer", "MountService"]),
    ]
)
