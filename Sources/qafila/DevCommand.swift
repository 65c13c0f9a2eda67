import Crypto
import Domain
import HTTPClient
import HTTPServer
import JSON
import Postgres
import Reactor
import Sandbox
import Store

enum DevCommand {
  private static let sandboxListen = Setting(
    variable: "QAFILA_SANDBOX_LISTEN", flag: "sandbox-listen", help: "where the Sandbox listens",
    standard: "127.0.0.1:8090")

  static let command = Command(
    words: ["dev"], summary: "run everything for trying: private PostgreSQL, Sandbox, service",
    details: [
      """
      One process and its PostgreSQL: makes the cluster and the secrets in a folder of its own, migrates, \
      starts Sandbox and service, registers the Sandbox's numbers, and prints where everything is. Ctrl-C \
      stops all of it; a second run goes on where the first one ended. Nothing here reaches Meta.
      """
    ],
    options: [
      Option("state", "DIR", "keep everything in this folder (\(DevState.standard))"), SandboxCommand.config,
      Option("seed", "N", "of everything the Sandbox draws"),
    ], settings: [.listen, sandboxListen, .marketingRetries], run: run)

  private static func run(_ invocation: Invocation) async throws {
    let stop = StopSignal()
    let state = try DevState(invocation.option("state"))
    guard let sealKey = SealKey(secret: state.sealKey) else {
      throw UsageError("\(state.directory)/seal-key is no seal key.", remedy: "Remove the folder to begin anew.")
    }
    let (address, port) = try ServeSettings.listen(try invocation.required(.listen))
    var world = try SandboxCommand.settings(invocation)
    (world.address, world.port) = try ServeSettings.listen(try invocation.required(sandboxListen))
    (world.appSecret, world.verifyToken) = (state.appSecret, state.verifyToken)

    Terminal.say("PostgreSQL in \(state.cluster) …")
    let cluster = try PrivateCluster.start(directory: state.cluster)
    defer { cluster.stop() }
    let database = ConnectionSettings(url: cluster.url)
    let connection = Connection(database, on: Qafila.reactor)
    let applied = try await Migrator.migrate(connection)
    await connection.close()
    if !applied.isEmpty { Terminal.say("Migrated: \(applied.joined(separator: ", ")).") }

    let sandboxReactor = Reactor(name: "sandbox")
    sandboxReactor.start()
    let sandbox = try Sandbox(settings: world, on: sandboxReactor)
    let sandboxURL = url(world.address, try sandbox.start())
    var settings = ServeSettings(
      roles: Set(ServeSettings.Role.allCases), database: database, address: address, port: port, graphURL: sandboxURL,
      graphVersion: Setting.graphVersion.standard ?? "", appSecrets: [state.appSecret],
      verifyToken: state.verifyToken,
      sealKey: sealKey)
    settings.marketingRetries = try ServeSettings.marketingRetries(invocation)
    // On one's own machine, receivers to try alerts with are there too.
    settings.targets.allowed = ["127.0.0.0/8", "::1"].compactMap(Network.init)
    let service = try await Service.start(settings)
    let serviceURL = url(address, service.port)
    do {
      let key = try await adminKey(state, sealKey, database)
      guard state.writeEnvironment(url: serviceURL, database: cluster.url) else {
        throw UsageError("\(state.environmentPath) cannot be written: \(Files.reason()).")
      }
      try await point(sandboxURL, to: serviceURL + "/webhooks/whatsapp")
      try await register(world, with: ServiceClient(url: serviceURL, key: key))
      show(state, world, service: serviceURL, sandbox: sandboxURL, database: cluster.url)
      await stop.wait()
      Terminal.say("Stopping …")
    } catch {
      await service.stop()
      await sandbox.stop()
      throw error
    }
    await service.stop()
    await sandbox.stop()
    sandboxReactor.stop()
  }

  private static func url(_ address: String, _ port: UInt16) -> String {
    "http://\(address.contains(":") ? "[\(address)]" : address):\(port)"
  }

  /// Tells the Sandbox where its webhooks go.
  private static func point(_ sandbox: String, to webhook: String) async throws {
    let http = HTTPClient(on: Qafila.reactor)
    defer { http.close() }
    let body: JSONValue = ["url": .string(webhook)]
    let request = HTTPRequest(
      "POST", sandbox + "/sandbox/webhook", headers: [("Content-Type", "application/json")], body: body.rendered())
    let answer = try await http.send(request).get()
    guard answer.status == 200 else { throw UsageError("The Sandbox refused its webhook address (\(answer.status)).") }
  }

  /// Through the API, as anybody would; a second time renews what is known.
  private static func register(_ world: SandboxSettings, with client: ServiceClient) async throws {
    for account in world.accounts {
      for number in account.numbers {
        _ = try await client.post(
          "/v1/numbers",
          [
            "phone_number_id": .string(number.id), "waba_id": .string(account.id),
            "access_token": .string(account.accessToken),
            "label": .string("sandbox-" + number.id.suffix(4)),
          ])
      }
    }
    _ = try await client.post("/v1/templates/sync")
  }

  private static func show(
    _ state: DevState, _ world: SandboxSettings, service: String, sandbox: String, database: String
  ) {
    var sheet = SandboxCommand.sheet(world, url: sandbox)
    sheet.add("service", service)
    sheet.add("admin key", state.keyPath)
    sheet.add("database", database)
    sheet.add("settings", ". \(state.environmentPath)")
    Terminal.print(sheet.text)
    Terminal.print("Ready.")
  }

  /// The key of an earlier run when it still works, else a new one, kept in the state's folder.
  private static func adminKey(_ state: DevState, _ sealKey: SealKey, _ database: ConnectionSettings) async throws
    -> String
  {
    let pool = Pool(database, size: 1, on: Qafila.reactor)
    let keys = Keys(sealKey: sealKey)
    if let bytes = Files.read(state.keyPath) {
      let known = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
      if try await keys.caller(known, on: pool) != nil {
        await pool.close()
        return known
      }
    }
    let installation = try await Installation.open(pool, sealKey: sealKey)
    let made = try await keys.create(name: "dev", role: .admin, business: installation.business, by: "dev", on: pool)
    await pool.close()
    guard Files.writePrivate(state.keyPath, made.key + "\n") else {
      throw UsageError("\(state.keyPath) cannot be written: \(Files.reason()).")
    }
    return made.key
  }
}
