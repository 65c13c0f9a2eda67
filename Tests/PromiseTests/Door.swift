import API
import CloudAPI
import Domain
import HTTPClient
import HTTPServer
import Importing
import Postgres
import Reactor
import Store
import Testing

/// The API of a world, on a socket of its own, with keys of every role.
final class Door: Sendable {
  private let server: HTTPServer
  private let client: HTTPClient
  private let pool: Pool
  private let worker = Reactor(name: "files")
  private let url: String
  private let keys: [Role: String]

  init(_ world: World) async throws {
    let maker = Keys(sealKey: World.seal)
    var keys: [Role: String] = [:]
    for role in [Role.marketer, .operate] {
      keys[role] = try await maker.create(
        name: role.word, role: role, business: world.installation.business, by: "test", on: world.pool
      ).key
    }
    self.keys = keys
    worker.start()
    client = HTTPClient(on: world.desk)
    let pool = Pool(ConnectionSettings(url: world.url), size: 2, on: world.desk)
    self.pool = pool
    let api = API(
      APIServices(
        pool: world.pool, keys: maker, tokens: Tokens(sealKey: World.seal), installation: world.installation,
        graph: GraphClient(client, url: "http://127.0.0.1:\(world.sandboxPort)", version: "v26.0"),
        importContacts: { [worker, installation = world.installation] request in
          let options = try ImportOptions(
            query: request.query, contentType: request.contentType, isOptOuts: request.audience == nil)
          let report = try await Importer.run(
            audience: request.audience, of: request.business, by: request.by, options: options,
            chunks: request.nextChunk, pool: pool, keys: installation.personKeys, worker: worker)
          return UploadAnswer(upload: report.upload, report: report.json)
        }, reportMessages: { _ in { _ in } }, reportCosts: { _ in [] }, log: { _, _ in }))
    server = HTTPServer(HTTPServerSettings(), on: world.desk) { await api.handle($0) }
    url = "http://127.0.0.1:\(try server.start())"
  }

  /// Answered 201 means it is on the record.
  func post(_ path: String, _ body: String, type: String = "application/json", as role: Role) async throws {
    let answer = try await client.send(
      HTTPRequest(
        "POST", url + path, headers: [("Authorization", "Bearer " + (keys[role] ?? "")), ("Content-Type", type)],
        body: Array(body.utf8))
    ).get()
    try #require(answer.status == 201, "\(path): \(String(decoding: answer.body, as: UTF8.self))")
  }

  func close() async {
    await server.shutdown(grace: .seconds(1))
    await pool.close()
    worker.stop()
  }
}
