import API
import Alerting
import CloudAPI
import Crypto
import Domain
import Expansion
import Guarding
import HTTPClient
import HTTPServer
import Importing
import Intake
import JSON
import Phone
import Postgres
import Reactor
import Reports
import Sending
import Store

/// The service: its roles, each on its own reactor, wired to one database. The one place where they all are known.
///
/// *line* sends and does nothing else; *doors* answers HTTP and stores receipts; *desk* runs jobs and folds; two
/// *workers* read files and write reports; *post* calls the addresses of others, and *mail* writes to people. The last five step back for the line.
final class Service: Sendable {
  let settings: ServeSettings
  let installation: Installation
  /// The port it listens on; 0 where no role of this process listens.
  let port: UInt16

  private let server: HTTPServer?
  private let pools: [Pool]
  private let tasks: [Task<Void, Never>]
  private let reactors: [Reactor]

  /// Checks the database, opens the installation, listens, and starts every role. Nothing runs when it throws.
  static func start(_ settings: ServeSettings) async throws -> Service {
    let doors = Reactor(name: "doors")
    let desk = Reactor(name: "desk", niceness: 5)
    let workers = (files: Reactor(name: "files", niceness: 10), reports: Reactor(name: "reports", niceness: 10))
    let line = Reactor(name: "line")
    let post = Reactor(name: "post", niceness: 5)
    let mail = Reactor(name: "mail", niceness: 10)
    let reactors = [doors, desk, workers.files, workers.reports, line, post, mail]
    for reactor in reactors { reactor.start() }
    func pool(_ name: String, _ size: Int, _ reactor: Reactor) -> Pool {
      var own = settings.database
      own.applicationName = "qafila-" + name
      return Pool(own, size: size, on: reactor)
    }
    let doorPool = pool("api", 8, doors)
    let deskPool = pool("desk", 4, desk)
    let filePool = pool("import", 2, workers.files)
    let postPool = pool("post", 4, post)
    let mailPool = pool("mail", 1, mail)
    let pools = [doorPool, deskPool, filePool, postPool, mailPool]
    do {
      try await Migrator.check(doorPool)
      let installation = try await Installation.open(doorPool, sealKey: settings.sealKey)
      if let record = settings.erasureRecord {
        let count = try await Erasure.reapply(
          try record.read(), keys: installation.personKeys, of: installation.business, at: .now, on: doorPool)
        if count > 0 { Log.write("erasures_applied_again", [("count", String(count))]) }
      }
      if settings.roles.contains(.api) { _ = try await UploadTable.closeAbandoned(doorPool) }
      let counters = Counters(reactors: reactors)
      var tasks: [Task<Void, Never>] = []
      func run(_ name: String, on reactor: Reactor, _ body: @escaping @Sendable () async throws -> Void) {
        tasks.append(
          Task(executorPreference: reactor.tasks) {
            do {
              try await body()
            } catch is CancellationError {
              return
            } catch {
              Log.write("role_ended", [("role", name), ("error", "\(error)")])
            }
          })
      }

      var webhook: (@Sendable (HTTPServerRequest) async -> HTTPResponse)?
      if settings.roles.contains(.intake) {
        let intake = Intake(
          appSecrets: settings.appSecrets, verifyToken: settings.verifyToken, installation: installation,
          database: settings.database, on: doors, log: Log.write)
        webhook = { await intake.handle($0) }
        counters.add(intake)
        let folder = Folder(
          installation: installation, database: settings.database, marketingRetries: settings.marketingRetries, on: desk,
          log: Log.write)
        counters.add(folder)
        run("fold", on: desk) { try await folder.run() }
      }
      if settings.roles.contains(.scheduler) {
        var own = Scheduler.Settings()
        own.unknownPatience = settings.unknownAfter
        let graph = GraphClient(
          HTTPClient(on: desk, settings: HTTPClientSettings(maxConnections: 8, caFile: settings.caFile)),
          url: settings.graphURL, version: settings.graphVersion)
        let scheduler = Scheduler(
          settings: own, pool: deskPool, on: desk,
          handlers: [
            "price": { _ in
              let counts = try await LatePricing.run(now: .now, on: deskPool)
              Log.write("priced_again", [("looked", String(counts.looked)), ("changed", String(counts.changed))])
            },
            "close_months": { _ in
              let count = try await MonthClosing.run(now: .now, on: deskPool)
              if count > 0 { Log.write("months_closed", [("count", String(count))]) }
            },
            "reconcile": { job in
              try await MetaFigures.reconcile(
                graph, tokens: Tokens(sealKey: settings.sealKey), isAsked: job.key != "daily",
                threshold: settings.reconcileThreshold, on: deskPool)
            },
          ], log: Log.write)
        run("scheduler", on: desk) { try await scheduler.run() }
        let guardian = Guard(
          pool: deskPool, graph: graph, tokens: Tokens(sealKey: settings.sealKey), on: desk, log: Log.write)
        run("guard", on: desk) { try await guardian.run() }
        run("replies", on: desk) {
          try await ReplyDesk.run(
            installation: installation, country: { PhoneReader.country(of: $0) ?? "" }, pool: deskPool, on: desk,
            log: Log.write)
        }
        var outside = Courier.Settings()
        (outside.targets, outside.caFile) = (settings.targets, settings.caFile)
        let courier = Courier(
          settings: outside, installation: installation, secrets: Tokens(sealKey: settings.sealKey).endpoints, pool: postPool,
          on: post, log: Log.write)
        run("courier", on: post) { try await courier.run() }
        var passing = Forwarder.Settings()
        (passing.targets, passing.caFile) = (settings.targets, settings.caFile)
        let forwarder = Forwarder(
          settings: passing, secrets: Tokens(sealKey: settings.sealKey).endpoints, pool: postPool, on: post, log: Log.write)
        run("forwarder", on: post) { try await forwarder.run() }
        if let own = settings.mail {
          let mailer = Mailer(settings: own, installation: installation, pool: mailPool, on: mail, log: Log.write)
          run("mailer", on: mail) { try await mailer.run() }
        }
        run("housekeeping", on: desk) { try await Housekeeping.run(deskPool, on: desk) }
      }
      if settings.roles.contains(.sender) {
        var own = SenderSettings(graphURL: settings.graphURL, graphVersion: settings.graphVersion)
        own.caFile = settings.caFile
        own.marketingRetries = settings.marketingRetries
        own.tierHeadroomPercent = settings.tierHeadroomPercent
        let sender = Sender(
          settings: own, database: settings.database, tokens: Tokens(sealKey: settings.sealKey),
          installation: installation, on: line, log: Log.write)
        counters.add(sender)
        run("sender", on: line) { try await sender.run() }
      }

      let handler = handler(
        settings, installation, webhook, counters, doors: doors, doorPool: doorPool, filePool: filePool,
        workers: workers)
      var server: HTTPServer?
      var port: UInt16 = 0
      if let handler {
        var own = HTTPServerSettings(address: settings.address, port: settings.port)
        own.maxBodyBytes = 1 << 20
        let made = HTTPServer(own, on: doors, handler: handler)
        port = try made.start()
        server = made
      }
      return Service(settings, installation, port, server, pools, tasks, reactors)
    } catch {
      for pool in pools { await pool.close() }
      for reactor in reactors { reactor.stop() }
      throw error
    }
  }

  /// The API, or the webhooks alone, or nothing.
  private static func handler(
    _ settings: ServeSettings, _ installation: Installation,
    _ webhook: (@Sendable (HTTPServerRequest) async -> HTTPResponse)?,
    _ counters: Counters, doors: Reactor, doorPool: Pool, filePool: Pool, workers: (files: Reactor, reports: Reactor)
  ) -> (@Sendable (HTTPServerRequest) async -> HTTPResponse)? {
    guard settings.roles.contains(.api) else {
      guard let webhook else { return nil }
      return { request in
        switch request.path {
        case "/webhooks/whatsapp": return await webhook(request)
        case "/healthz", "/readyz": return .text(200, "ok\n")
        default: return .text(404, "This process takes webhooks only.\n")
        }
      }
    }
    let http = HTTPClient(on: doors, settings: HTTPClientSettings(maxConnections: 16, caFile: settings.caFile))
    let report = MessageReport(database: settings.database, on: workers.reports)
    var services = APIServices(
      pool: doorPool, keys: Keys(sealKey: settings.sealKey), tokens: Tokens(sealKey: settings.sealKey),
      installation: installation, graph: GraphClient(http, url: settings.graphURL, version: settings.graphVersion),
      checkEndpoint: EndpointCheck(settings, on: doors).check,
      importContacts: { request in
        let options = try ImportOptions(
          query: request.query, contentType: request.contentType, isOptOuts: request.audience == nil)
        let report = try await Importer.run(
          audience: request.audience, of: request.business, by: request.by, options: options, chunks: request.nextChunk,
          pool: filePool, keys: installation.personKeys, worker: workers.files)
        return UploadAnswer(upload: report.upload, report: report.json)
      },
      webhook: webhook,
      reportMessages: { request in
        let format: MessageReport.Format =
          switch request.format {
          case .csv: .csv
          case .ndjson: .ndjson
          case .json: .json
          }
        var own = MessageReport.Request(
          business: request.business, campaign: request.campaign, from: request.from, to: request.to,
          showsPhones: request.showsPhones, format: format)
        (own.isForSpreadsheet, own.delimiter, own.after) = (request.isExcel, request.delimiter, request.after)
        let produce = try report.open(own)
        return { writer in _ = try await produce { try await writer.write($0) } }
      },
      reportCosts: { request in
        var asked = CostLines.Asked(
          groups: request.groups, business: request.business, campaign: request.campaign, from: request.from,
          to: request.to)
        asked.zone = request.zone
        return try await CostReport.lines(asked, comparing: request.isComparing, on: doorPool)
      },
      statement: { request in
        try await StatementReport.render(
          request.account, request.month, as: StatementReport.Format(rawValue: request.format.rawValue) ?? .json,
          language: StatementPage.Language(rawValue: request.language) ?? .en, on: doorPool)
      },
      metrics: { await counters.text() + PeopleMetric.text(doorPool) }, log: Log.write)
    services.tierHeadroomPercent = settings.tierHeadroomPercent
    services.replayGuard = { history, rules in GuardReplay(rules).run(history) }
    if let record = settings.erasureRecord { services.recordErasure = { try record.append($0, $1) } }
    return API(services).handle
  }

  private init(
    _ settings: ServeSettings, _ installation: Installation, _ port: UInt16, _ server: HTTPServer?, _ pools: [Pool],
    _ tasks: [Task<Void, Never>], _ reactors: [Reactor]
  ) {
    (self.settings, self.installation, self.port) = (settings, installation, port)
    (self.server, self.pools, self.tasks, self.reactors) = (server, pools, tasks, reactors)
  }

  /// Ends in good order: no new connections, requests under way get their answer, what was handed over is recorded.
  func stop() async {
    if let server { await server.shutdown(grace: .seconds(10)) }
    for task in tasks { task.cancel() }
    for task in tasks { await task.value }
    for pool in pools { await pool.close() }
    for reactor in reactors { reactor.stop() }
  }
}

/// What must happen now and then whatever else does: partitions ahead of time, forgotten idempotency keys.
enum Housekeeping {
  static func run(_ pool: Pool, on reactor: Reactor) async throws {
    while true {
      do throws(DatabaseError) {
        try await Migrator.ensurePartitions(pool)
        try await Idempotency.purge(pool)
        try await Notices.forget(on: pool)
        try await ServiceWindows.forget(on: pool)
        try await PeopleCounts.forget(on: pool)
        // What people write is kept 30 days.
        try await ReceiptLog.purge(olderThan: 30, on: pool)
        try await Deliveries.purge(olderThan: 30, on: pool)
        try await Erasure.expireProofs(on: pool)
        _ = try await pool.run(Jobs.enqueue("close_months", key: "all", due: .now))
        _ = try await pool.run(Jobs.enqueue("reconcile", key: "daily", due: .now))
      } catch {
        if error == .cancelled { throw CancellationError() }
        Log.write("housekeeping_waits", [("error", "\(error)")])
        try await reactor.sleep(for: .seconds(30))
        continue
      }
      try await reactor.sleep(for: .seconds(3600))
    }
  }
}
