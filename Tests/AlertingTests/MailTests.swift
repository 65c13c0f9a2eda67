import Crypto
import Domain
import Governor
import HTTPClient
import JSON
import Postgres
import Reactor
import Schedule
import Store
import Testing

@testable import Alerting

@Suite(.serialized) struct `A mail` {
  /// The text that a mailbox shows.
  private func shown(_ mail: MailServer.Mail) throws -> String {
    let parts = mail.text.split(separator: "\r\n\r\n", maxSplits: 1)
    let body = String(parts[1]).filter { $0 != "\r\n" && $0 != "\n" && $0 != "\r" }
    return String(decoding: try #require(Crypto.bytes(base64: body)), as: UTF8.self)
  }

  private func subject(_ mail: MailServer.Mail) throws -> String {
    let head = mail.text.prefix { _ in true }.split(separator: "\r\n\r\n")[0].replacing("\r\n ", with: " ")
    let line = try #require(head.split(separator: "\r\n").first { $0.hasPrefix("Subject: ") }).dropFirst(9)
    return try line.split(separator: " ").map { word -> String in
      guard word.hasPrefix("=?UTF-8?B?"), word.hasSuffix("?=") else { return String(word) + " " }
      #expect(word.utf8.count <= 75)
      return String(decoding: try #require(Crypto.bytes(base64: word.dropFirst(10).dropLast(2))), as: UTF8.self)
    }.joined()
  }

  private func settings(_ server: MailServer, _ language: AlertWords.Language) throws -> Mailer.Settings {
    var settings = Mailer.Settings(
      url: server.url, sender: "qafila@example.com", recipients: ["mona@example.com", "omar@example.com"],
      zone: try Zone(named: "Africa/Cairo"))
    (settings.language, settings.lookEvery, settings.rest) = (language, .milliseconds(20), .milliseconds(50))
    (settings.retry.first, settings.retry.longest) = (20_000_000, 50_000_000)
    return settings
  }

  private func withMailers(
    _ count: Int, _ outside: Outside, _ settings: Mailer.Settings, at now: Instant, _ body: () async throws -> Void
  ) async throws {
    let running = (0..<count).map { _ in
      let mailer = Mailer(
        settings: settings, installation: outside.installation, pool: outside.pool, on: Outside.reactor, now: { now },
        log: { [log = outside.log] event, fields in log.with { $0.append("\(event) \(fields)") } })
      return Task { try await mailer.run() }
    }
    defer { for task in running { task.cancel() } }
    try await body()
    for task in running {
      task.cancel()
      try await task.value
    }
  }

  @Test func `tells alerts in Arabic, readable from the right, once, and again after a refusal`() async throws {
    let outside = try await Outside()
    let server = MailServer(MailServer.reactor)
    // Long before the hour of the digest.
    let night = Instant(rfc3339: "2027-02-09T03:00:00+02:00")!
    server.refusal.with { $0 = (word: ".", reply: "451 later") }
    try await withMailers(2, outside, try settings(server, .arabic), at: night) {
      try await outside.stopEverything("صيانة الخادم حتى الصباح")
      _ = try await AlertSources.derive(on: outside.pool)
      try await outside.until("refused") { outside.log.with { $0 }.contains { $0.contains("status_451") } }
      #expect(server.mails.isEmpty)
      server.refusal.with { $0 = nil }
      try await outside.until("told") { server.mails.count == 1 }
      for reason in ["a", "b"] { try await outside.stopEverything(reason) }
      _ = try await AlertSources.derive(on: outside.pool)
      try await outside.until("the next two in one") { server.mails.count == 2 }
    }
    let mail = server.mails[0]
    #expect(mail.from.hasPrefix("MAIL FROM:<qafila@example.com>") && mail.recipients.count == 2)
    #expect(mail.text.utf8.allSatisfy { $0 < 0x80 }, "nothing that an old server would break")
    let subject = try subject(mail)
    #expect(subject.hasPrefix("قافلة: أُوقف الإرسال: كل شيء"), "\(subject)")
    let text = try shown(mail)
    #expect(text.hasPrefix("\u{200F}") && text.contains("صيانة الخادم حتى الصباح"), "\(text)")
    #expect(try self.subject(server.mails[1]).hasPrefix("قافلة: 2 تنبيهات"))
    #expect(try shown(server.mails[1]).split(separator: "\r\n").count == 2)
    await server.close()
    await outside.close()
  }

  @Test func `sums up the day before at eight, once for two nodes, and not at night or in the evening`() async throws {
    let outside = try await Outside()
    let server = MailServer(MailServer.reactor)
    let settings = try settings(server, .english)
    func due(_ time: String) -> Bool { Mailer.digest(at: Instant(rfc3339: time)!, settings) != nil }
    #expect(!due("2027-02-09T07:59:59+02:00") && due("2027-02-09T08:00:00+02:00"))
    #expect(due("2027-02-09T13:59:59+02:00") && !due("2027-02-09T14:00:00+02:00"))
    // Summer time: the same hour on the clock.
    #expect(!due("2027-07-09T07:59:59+03:00") && due("2027-07-09T08:00:00+03:00"))
    let word = Consents.Word(
      person: outside.installation.personKeys.key(of: PhoneNumber(digits: 201_001_234_567)!), scope: .marketing, event: .stop,
      source: .button, evidence: [:], at: .now)
    _ = try await outside.pool.batch([Consents.recording([word], business: outside.business)])
    _ = try await outside.pool.run("update consent set recorded_at = '2027-02-08T12:00:00+02:00'")
    try await outside.stopEverything("fire drill")
    try await withMailers(2, outside, settings, at: Instant(rfc3339: "2027-02-09T08:00:00+02:00")!) {
      try await outside.until("the digest") { server.mails.count == 1 }
      try await outside.until("on the record") {
        try await outside.pool.run("select count(sent_at) from digest")[0].int64(0) == 1
      }
    }
    try await withMailers(2, outside, settings, at: Instant(rfc3339: "2027-02-10T08:00:00+02:00")!) {
      try await outside.until("the next day's") { server.mails.count == 2 }
    }
    #expect(try subject(server.mails[0]) == "Qafila: digest of 2027-02-08: 0 sent, 0 delivered ")
    let text = try shown(server.mails[0])
    for line in ["Opted out: 1", "Cost: none", "- no campaigns", "- Paused: business: fire drill"] {
      #expect(text.contains(line + "\r\n"), "\(line) in \(text)")
    }
    #expect(try shown(server.mails[1]).contains("Opted out: 0\r\n"))
    await server.close()
    await outside.close()
  }

  @Test func `says a password to nobody in the clear, and takes no address that ends its command`() async throws {
    let server = MailServer(MailServer.reactor)
    let client = HTTPClient(on: Outside.reactor)
    var request = HTTPRequest("MAIL", server.url, body: Array("Subject: x\r\n\r\n.\r\nhidden\r\n".utf8))
    request.mail = MailEnvelope(from: "a@b.c", to: ["d@e.f"], user: "a", password: "pa55word")
    let refused = await client.send(request)
    if case .success = refused { Issue.record("sent in the clear") }
    #expect(!server.commands.contains { $0.hasPrefix("AUTH") } && server.mails.isEmpty)
    for address in ["a@b.c>\r\nRCPT TO:<x@y.z", "a b@c.d", "a@b@c", "@b", "a@", "<a@b>"] {
      #expect(!MailEnvelope.isAddress(address))
      request.mail = MailEnvelope(from: "a@b.c", to: [address])
      if case .failure(.neverWritten("malformed")) = await client.send(request) { continue }
      Issue.record("\(address)")
    }
    request.mail = MailEnvelope(from: "a@b.c", to: ["d@e.f"])
    if case .success(let answer) = await client.send(request) { #expect(answer.status == 250) } else { Issue.record("not sent: \(server.commands)") }
    #expect(server.mails.first?.text == "Subject: x\r\n\r\n.\r\nhidden\r\n")
    // The handle serves requests again.
    let http = try Stranger(.answer(200))
    if case .failure = await client.send(HTTPRequest("POST", http.url, body: [1])) { Issue.record("no request after a mail") }
    client.close()
    await http.close()
    await server.close()
  }
}
