// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableUpcomingFeature("InferIsolatedConformances"),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

// One section per layer, bottom up; a target's dependencies are the only modules it may import
// (docs/MODULES.md says why each boundary exists, ArchitectureTests hold it).
let package = Package(
    name: "geo-failover",
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
    ],
    targets: [
        // C libraries
        .systemLibrary(name: "CLibSSH2", pkgConfig: "libssh2", providers: [.apt(["libssh2-1-dev"])]),
        .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(name: "CLibCurl", linkerSettings: [.linkedLibrary("curl")]),
        .target(name: "CSHA256", linkerSettings: [.linkedLibrary("crypto")]),
        .target(name: "CSSHCrypto", linkerSettings: [.linkedLibrary("crypto")]),
        .target(name: "CLinux"),

        // Transports: know nothing of Geo
        .target(name: "SystemThreads", dependencies: ["CLinux"]),
        .target(name: "SSHTransport", dependencies: ["CLibSSH2", "CSHA256", "CSSHCrypto", "CLinux", "SystemThreads"]),
        .target(name: "PostgresTransport", dependencies: ["CLibPQ", "CLinux", "SystemThreads"]),
        .target(name: "HTTPTransport", dependencies: ["CLibCurl", "SystemThreads"]),

        // Values and decisions
        .target(name: "GeoCore", dependencies: ["CSHA256"]),

        // Edges
        .target(name: "GeoDocuments", dependencies: ["GeoCore", .product(name: "Yams", package: "Yams")]),
        .target(name: "GeoRuntime", dependencies: ["GeoCore", "CLinux"]),
        .target(name: "GeoViews", dependencies: ["GeoCore"]),
        .target(
            name: "GeoCommands",
            dependencies: [
                "GeoCore", "GeoDocuments", "GeoRuntime", "GeoViews", "SSHTransport", "PostgresTransport",
                "HTTPTransport", "SystemThreads", "CLinux",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Subprocess", package: "swift-subprocess"),
            ]),
        .executableTarget(name: "geo-failover", dependencies: ["GeoCommands"]),

        // Benchmarks: not shipped (scripts/bench)
        .executableTarget(
            name: "geo-benchmarks",
            dependencies: ["GeoCommands", "GeoCore", "GeoDocuments", "GeoTestSupport", "GeoViews"]),

        // Tests
        .target(name: "GeoTestSupport", dependencies: ["GeoCore", "GeoRuntime"]),
        .testTarget(name: "SSHTransportTests", dependencies: ["SSHTransport"]),
        .testTarget(name: "PostgresTransportTests", dependencies: ["PostgresTransport"]),
        .testTarget(name: "HTTPTransportTests", dependencies: ["HTTPTransport"]),
        .testTarget(name: "GeoCoreTests", dependencies: ["GeoCore", "GeoTestSupport"]),
        .testTarget(name: "GeoDocumentsTests", dependencies: ["GeoDocuments", "GeoCore"]),
        .testTarget(name: "GeoRuntimeTests", dependencies: ["GeoRuntime", "GeoCore", "GeoTestSupport"]),
        .testTarget(
            name: "GeoViewsTests", dependencies: ["GeoViews", "GeoCore", "GeoTestSupport"], exclude: ["Golden"]),
        .testTarget(
            name: "GeoCommandsTests",
            dependencies: [
                "GeoCommands", "GeoCore", "GeoDocuments", "GeoRuntime", "GeoTestSupport",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),
        .testTarget(
            name: "RunbookTests", dependencies: ["GeoCore", "GeoDocuments", "GeoViews", "GeoTestSupport"],
            exclude: ["Golden"]),
        .testTarget(
            name: "CrashTests", dependencies: ["GeoCore", "GeoDocuments", "GeoRuntime", "GeoTestSupport"],
            exclude: ["ReleasedRuns"]),
        .testTarget(name: "ArchitectureTests"),
    ],
    swiftLanguageModes: [.v6]
)

for target in package.targets where target.type != .system {
    target.swiftSettings = strict
}

// Decided a million times by the tests: optimised there too, or 2,000 random histories take minutes.
for target in package.targets where ["GeoCore", "GeoRuntime", "GeoTestSupport"].contains(target.name) {
    target.swiftSettings?.append(.unsafeFlags(["-O"], .when(configuration: .debug)))
}
