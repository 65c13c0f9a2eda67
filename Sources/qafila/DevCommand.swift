import Crypto
import Domain
import HTTPServer
import JSON
import Postgres
import Reactor
import Store

enum DevCommand {
  static let command = Command(
    words: ["dev"], summary: "run everything for trying: private PostgreSQL, Sandbox, service",
    details: [
      "One process and its PostgreSQL: makes the cluster and the secrets in a folder of its own, migrates, starts Sandbox and\n"
        + "service, registers the Sandbox's number, and prints where everything is. Ctrl-C stops all of it; a second run goes on\n"
        + "where the first one ended. Nothing here can reach Meta."
    ],
    options: [Option("state", "DIR", "keep everything in this folder (\(DevState.standard))")], settings: [.listen]
  ) { invocation in
    let stop = StopSignal()
    let state = try DevState(invocation.option("state"))
    guard let sealKey = SealKey(secret: state.sealKey) else {
      throw UsageError("\(state.directory)/seal-key is no seal key.", remedy: "Remove the folder to begin anew.")
    }
    let (address, port) = try ServeSettings.listen(try invocation.required(.listen))
    Terminal.say("PostgreSQL in \(state.cluster) …")
    let cluster = try PrivateCluster.start(directory: state.cluster)
    defer { cluster.stop() }
    let database = ConnectionSettings(url: cluster.url)
    let connection = Connection(database, on: Qafila.reactor)
    let applied = try await Migrator.migrate(connection)
    await connection.close()
    if !applied.isEmpty { Terminal.say("Migrated: \(applied.joined(separator: ", ")).") }

    let settings = ServeSettings(
      roles: Set(ServeSettings.Role.allCases), database: database, address: address, port: port,
      graphURL: "http://127.0.0.1:1", graphVersion: "v26.0", appSecrets: [state.appSecret],
      verifyToken: state.verifyToken, sealKey: sealKey)
    let service = try await Service.start(settings)
    let url = "http://\(address.contains(":") ? "[\(address)]" : address):\(service.port)"
    let key = try await adminKey(state, sealKey, database)
    guard state.writeEnvironment(url: url, database: cluster.url) else {
      throw UsageError("\(state.environmentPath) cannot be written: \(Files.reason()).")
    }
    var sheet = Sheet()
    sheet.add("service", url)
    sheet.add("admin key", state.keyPath)
    sheet.add("database", cluster.url)
    sheet.add("settings", ". \(state.environmentPath)")
    Terminal.print(sheet.text)
    _ = key
    await stop.wait()
    Terminal.say("Stopping …")
    await service.stop()
  }

  /// The key of an earlier run when it still works, else a new one, kept in the state's folder.
  private static func adminKey(_ state: DevState, _ sealKey: SealKey, _ database: ConnectionSettings) async throws -> String {
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
