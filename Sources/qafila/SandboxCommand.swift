import HTTPServer
import Reactor
import Sandbox

enum SandboxCommand {
  static let config = Option(
    "config", "FILE", "the Sandbox's world as JSON: accounts, people, receipts (- is standard input)")

  static let certificate = Option("tls-certificate", "FILE", "speak TLS with this certificate (PEM); needs --tls-key")
  static let key = Option("tls-key", "FILE", "the certificate's key (PEM)")

  static let command = Command(
    words: ["sandbox"], summary: "run the Cloud API's double, for trying and staging",
    details: [
      """
      It speaks Meta's shapes, is as strict as Meta documents itself, sends signed receipts, and lets the \
      world go wrong on order: GET /sandbox lists what can be asked of it. Webhooks are signed with \
      QAFILA_APP_SECRET when it is set.
      """
    ],
    options: [
      config, Option("webhook-url", "URL", "where webhooks go"), Option("seed", "N", "of everything it draws"),
      certificate, key,
    ],
    settings: [
      Setting(
        variable: "QAFILA_SANDBOX_LISTEN", flag: "listen", help: "address and port to listen on",
        standard: "127.0.0.1:8090"),
      .appSecret, .verifyToken,
    ]
  ) { invocation in
    let stop = StopSignal()
    var settings = try settings(invocation)
    if invocation.has("listen") || !invocation.has("config") {
      (settings.address, settings.port) = try ServeSettings.listen(
        try invocation.required(invocation.command.settings[0]))
    }
    if let url = invocation.option("webhook-url") { settings.webhookURL = url }
    if let secret = try invocation.setting(.appSecret) { settings.appSecret = secret }
    if let token = try invocation.setting(.verifyToken) { settings.verifyToken = token }
    let reactor = Reactor(name: "sandbox")
    reactor.start()
    let sandbox = try Sandbox(settings: settings, on: reactor)
    let port = try sandbox.start()
    let scheme = settings.identity == nil ? "http" : "https"
    Terminal.print(sheet(settings, url: "\(scheme)://\(settings.address):\(port)").text)
    await stop.wait()
    await sandbox.stop()
    reactor.stop()
  }

  static func settings(_ invocation: Invocation) throws -> SandboxSettings {
    var settings = SandboxSettings()
    if let path = invocation.option("config") {
      guard let bytes = Files.read(path) else {
        throw UsageError("The file \(path) cannot be read: \(Files.reason()).")
      }
      do throws(SandboxSettingsError) {
        settings = try SandboxSettings(json: bytes)
      } catch {
        throw UsageError("\(path): \(error)", remedy: "See the example in the README.")
      }
    }
    if let text = invocation.option("seed") {
      guard let seed = UInt64(text) else { throw UsageError("--seed is a whole number.") }
      settings.seed = seed
    }
    settings.identity = try identity(invocation)
    return settings
  }

  private static func identity(_ invocation: Invocation) throws -> HTTPServerSettings.Identity? {
    func file(_ name: String) throws -> String? {
      guard let path = invocation.option(name) else { return nil }
      guard let bytes = Files.read(path) else {
        throw UsageError("The file \(path) cannot be read: \(Files.reason()).")
      }
      return String(decoding: bytes, as: UTF8.self)
    }
    switch (try file("tls-certificate"), try file("tls-key")) {
    case (let certificate?, let key?): return HTTPServerSettings.Identity(certificate: certificate, key: key)
    case (nil, nil): return nil
    default: throw UsageError("--tls-certificate and --tls-key belong together.")
    }
  }

  static func sheet(_ settings: SandboxSettings, url: String) -> Sheet {
    var sheet = Sheet()
    sheet.add("sandbox", url)
    for account in settings.accounts {
      sheet.add("account", account.id + ", token " + account.accessToken)
      for number in account.numbers {
        sheet.add("number", number.id + "  " + number.displayNumber + "  \(number.throughput)/s")
      }
    }
    return sheet
  }
}
