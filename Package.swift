// swift-tools-version: 6.2
import PackageDescription

// The house (README draws it). Arrows point down only; nothing imports its own row; a C library is imported by exactly
// one Swift module. No package dependencies: what a well-kept C library does comes from Debian through a C module.

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
]

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(name: name + "Tests", dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
  name: "qafila",
  targets: [
    .executableTarget(
      name: "qafila",
      dependencies: [
        "API", "Intake", "Importing", "Expansion", "Sending", "Reports", "Guarding", "Alerting", "Store", "CloudAPI",
        "Governor", "Consent", "Schedule", "Money", "Postgres", "HTTPClient", "HTTPServer", "Phone", "Crypto", "Reactor", "Domain",
        "JSON", "CLinux", "Sandbox", "DemoData", "Migrations",
      ],
      swiftSettings: strict),

    // What it does. These meet in the Store, nowhere else.
    module(
      "API",
      [
        "Store", "CloudAPI", "Schedule", "Money", "Consent", "Governor", "Postgres", "HTTPServer", "Crypto", "Phone", "Reactor",
        "Domain", "JSON",
      ]),
    module(
      "Intake",
      ["Store", "CloudAPI", "Consent", "Money", "Schedule", "Postgres", "HTTPServer", "Crypto", "Reactor", "Domain", "JSON"]),
    module("Importing", ["Store", "Postgres", "Phone", "Crypto", "Reactor", "Domain", "JSON"]),
    module("Expansion", ["Store", "CloudAPI", "Governor", "Schedule", "Money", "Postgres", "Crypto", "Reactor", "Domain", "JSON"]),
    module(
      "Sending",
      ["Store", "CloudAPI", "Governor", "Schedule", "Money", "Postgres", "HTTPClient", "Crypto", "Reactor", "Domain", "JSON"]),
    module("Guarding", ["Store", "CloudAPI", "Postgres", "Reactor", "Domain", "JSON"]),
    module(
      "Alerting", ["Store", "CloudAPI", "Governor", "Schedule", "Postgres", "HTTPClient", "Crypto", "Reactor", "Domain", "JSON"]),
    module("Reports", ["Store", "Money", "Schedule", "Postgres", "Reactor", "Domain", "JSON"]),

    // Our SQL; Meta's protocol.
    module("Store", ["Postgres", "Money", "Schedule", "Consent", "Governor", "Crypto", "Reactor", "Domain", "JSON", "Migrations"]),
    module("CloudAPI", ["HTTPClient", "Crypto", "Reactor", "Domain", "JSON"]),

    // Pure rules: values in, a decision out.
    module("Governor", ["Domain"]),
    module("Consent", ["Domain"]),
    module("Schedule", ["Domain"]),
    module("Money", ["Domain"]),

    // One C library each.
    module("Postgres", ["CLibPQ", "CLinux", "Reactor", "Domain"]),
    module("HTTPClient", ["CCurl", "Reactor", "Domain"]),
    module("HTTPServer", ["CMicroHTTPD", "CLinux", "Reactor", "Domain"]),
    module("Phone", ["CPhoneNumber", "Domain"]),
    module("Crypto", ["CCrypto", "Domain"]),

    module("Reactor", ["CLinux", "Domain"]),
    module("JSON", ["CSimdjson", "Domain"]),
    module("Domain"),

    .systemLibrary(name: "CLibPQ", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CMicroHTTPD", pkgConfig: "libmicrohttpd", providers: [.apt(["libmicrohttpd-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .target(name: "CPhoneNumber", linkerSettings: [.linkedLibrary("phonenumber")]),
    .target(name: "CSimdjson", linkerSettings: [.linkedLibrary("simdjson")]),
    .target(name: "CLinux"),

    // What `deploy/bench` runs: service, Sandbox and PostgreSQL as processes, measured from outside.
    .executableTarget(
      name: "bench",
      dependencies: [
        "Store", "CloudAPI", "Postgres", "HTTPClient", "HTTPServer", "Phone", "Crypto", "Reactor", "Domain", "JSON",
        "CLinux", "Guarding", "GuardTrial", "Population", "Simulation", "DemoData",
      ],
      path: "Sources/Bench", swiftSettings: strict),

    // Who people are and how they behave; the Cloud API double in which they live, and the fake world all tests share.
    module("Sandbox", ["Population", "HTTPServer", "HTTPClient", "Crypto", "Money", "Reactor", "Domain", "JSON"]),
    module("Population", []),
    module("Simulation", ["Postgres", "Governor", "Consent", "Schedule", "Money", "Reactor", "Domain"]),

    // Campaigns to that population under the guard's rules, in virtual time.
    module("GuardTrial", ["Guarding", "Store", "Population", "Domain"]),

    // Audience files of realistic shape, from a seed.
    module("DemoData", ["Governor"]),

    // Numbered SQL, embedded in the binary.
    .target(name: "Migrations", path: "Migrations", resources: [.embedInCode("sql")], swiftSettings: strict),

    tests("Domain", ["Domain"]),
    tests("JSON", ["JSON", "Domain"]),
    tests("Reactor", ["Reactor", "Domain"]),
    tests("Postgres", ["Postgres", "Simulation", "Reactor", "Domain"]),
    tests("HTTPClient", ["HTTPClient", "Reactor", "Domain", "CLinux"]),
    tests("HTTPServer", ["HTTPServer", "HTTPClient", "Reactor", "Domain", "CLinux"]),
    tests("Phone", ["Phone", "Domain"]),
    tests("Crypto", ["Crypto", "Domain"]),
    tests("Rules", ["Governor", "Consent", "Schedule", "Money", "Simulation", "Domain"]),
    tests("CloudAPI", ["CloudAPI", "HTTPClient", "HTTPServer", "Crypto", "JSON", "Reactor", "Domain"]),
    tests("Sandbox", ["Sandbox", "Population", "HTTPClient", "HTTPServer", "Crypto", "JSON", "Reactor", "Domain"]),
    tests("DemoData", ["DemoData", "Governor", "Phone", "Domain"]),
    tests(
      "Store",
      [
        "Store", "Migrations", "Consent", "Governor", "Simulation", "Postgres", "Crypto", "JSON", "Money", "Reactor",
        "Domain",
      ]),
    tests(
      "Money",
      ["Intake", "Reports", "Store", "CloudAPI", "Simulation", "Governor", "Money", "Postgres", "Crypto", "JSON", "Reactor",
        "Domain"]),
    tests("Importing", ["Importing", "Simulation", "Store", "Postgres", "Phone", "Crypto", "JSON", "Reactor", "Domain"]),
    tests(
      "API",
      [
        "API", "Expansion", "Reports", "Simulation", "Store", "CloudAPI", "Consent", "Postgres", "HTTPServer",
        "HTTPClient", "Crypto", "JSON",
        "Reactor", "Domain",
      ]),
    tests("Program", ["qafila", "Simulation", "JSON", "Reactor", "Domain", "CLinux"]),
    tests(
      "Guarding",
      [
        "Guarding", "GuardTrial", "Population", "Simulation", "Store", "Governor", "Postgres", "Crypto", "JSON", "Reactor",
        "Domain",
      ]),
    tests(
      "Alerting",
      [
        "Alerting", "API", "Store", "CloudAPI", "Governor", "HTTPClient", "HTTPServer", "Simulation", "Postgres", "Crypto",
        "Schedule", "JSON", "Reactor", "Domain",
      ]),
    // The promises: real PostgreSQL, real sockets, real processes; killed, frozen, delayed, duplicated.
    tests(
      "Promise",
      [
        "API", "Intake", "Importing", "Expansion", "Sending", "Reports", "Guarding", "Alerting", "Store", "CloudAPI",
        "Consent", "Governor", "Schedule", "Money", "Sandbox", "Population", "Simulation", "Postgres", "HTTPClient",
        "HTTPServer", "Crypto", "JSON",
        "Reactor", "Domain", "CLinux",
      ]),
  ],
  cxxLanguageStandard: .cxx17
)
