import Crypto
import Domain
import Governor
import HTTPClient
import JSON
import Postgres
import Reactor
import Schedule
import Store

/// Writes to people: alerts that somebody may have to act on, at most one mail a minute, and every morning a digest of the day
/// before. Any number of nodes may run one; each mail is sent by one, and again when that one died before it said so.
///
/// It needs a reactor of its own (`HTTPRequest.mail`).
public actor Mailer {
  public struct Settings: Sendable {
    /// `smtp://host:port` or `smtps://host:port`.
    public var url: String
    public var sender: String
    public var recipients: [String]
    public var user: String?
    public var password: String?
    public var language: AlertWords.Language = .english
    public var zone: Zone
    /// Seconds after midnight there.
    public var digestAt = 8 * 3600
    /// After that many hours a digest that was missed is not sent any more.
    public var digestPatience: Duration = .seconds(6 * 3600)
    public var lookEvery: Duration = .seconds(5)
    /// Between two mails of alerts.
    public var rest: Duration = .seconds(60)
    /// Alerts of one mail.
    public var most = 50
    public var timeout: Duration = .seconds(60)
    public var lease: Duration = .seconds(600)
    public var retry: DeliveryRetry = {
      var retry = DeliveryRetry()
      (retry.first, retry.longest, retry.attempts) = (30_000_000_000, 3600 * 1_000_000_000, .max)
      return retry
    }()
    public var caFile: String?

    public init(url: String, sender: String, recipients: [String], zone: Zone) {
      (self.url, self.sender, self.recipients, self.zone) = (url, sender, recipients, zone)
    }
  }

  nonisolated let reactor: Reactor
  public nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }

  private let settings: Settings
  private let installation: String
  private let pool: Pool
  private let http: HTTPClient
  private let now: @Sendable () -> Instant
  private let log: @Sendable (String, [(String, String)]) -> Void
  private var chance = SystemRandomNumberGenerator()

  public init(
    settings: Settings, installation: Installation, pool: Pool, on reactor: Reactor,
    now: @escaping @Sendable () -> Instant = { .now },
    log: @escaping @Sendable (_ event: String, _ fields: [(String, String)]) -> Void
  ) {
    precondition(settings.lease > settings.timeout, "a mail's lease must outlive its sending")
    (self.settings, self.installation, self.pool, self.reactor) = (settings, installation.name, pool, reactor)
    (self.now, self.log) = (now, log)
    http = HTTPClient(on: reactor, settings: HTTPClientSettings(maxConnections: 2, caFile: settings.caFile))
  }

  /// Until it is cancelled.
  public func run() async throws {
    while !Task.isCancelled {
      do {
        try await tellAlerts()
        try await tellDigest()
        try await reactor.sleep(for: settings.lookEvery)
      } catch is CancellationError {
        break
      } catch {
        log("mail_waits", [("error", "\(error)")])
        do { try await reactor.sleep(for: settings.lookEvery) } catch { break }
      }
    }
    http.close()
  }

  /// One mail with what happened since the last.
  private func tellAlerts() async throws {
    guard let due = try await MailRecords.take(limit: settings.most, lease: settings.lease, on: pool),
      let first = due.alerts.first, let last = due.alerts.last
    else { return }
    let words = AlertWords(settings.language)
    let lines = try due.alerts.map { alert in
      String(settings.zone.text(alert.at).prefix(16)) + "  " + words.sentence(alert.event, try JSONValue(parsing: alert.data))
    }
    let sentence = words.sentence(first.event, try JSONValue(parsing: first.data))
    let subject =
      due.alerts.count == 1
      ? (settings.language == .arabic ? "قافلة: " : "Qafila: ") + sentence
      : settings.language == .arabic ? "قافلة: \(due.alerts.count) تنبيهات، أولها: \(sentence)"
        : "Qafila: \(due.alerts.count) alerts, the first: \(sentence)"
    if await send(MailText(subject: subject, lines: lines), id: "alerts-\(installation)-\(first.id)-\(last.id)") {
      try await MailRecords.told(upTo: last.id, rest: settings.rest, on: pool)
    } else {
      let wait = settings.retry.wait(after: due.failures + 1, &chance) ?? settings.retry.longest
      try await MailRecords.told(upTo: nil, rest: .nanoseconds(wait), on: pool)
    }
  }

  /// The day whose morning it is, and when its digest was due; nil before that, and when it is too late.
  static func digest(at now: Instant, _ settings: Settings) -> (day: CivilDate, due: Instant)? {
    let today = settings.zone.day(of: now)
    let due = settings.zone.first(of: today, secondsOfDay: settings.digestAt)
    return now >= due && now < due + settings.digestPatience ? (today, due) : nil
  }

  /// Of yesterday, once it is time and nobody else has.
  private func tellDigest() async throws {
    guard let (today, due) = Mailer.digest(at: now(), settings),
      try await MailRecords.takeDigest(today, lease: settings.lease, on: pool)
    else { return }
    let yesterday = CivilDate(daysSince1970: today.daysSince1970 - 1)
    let figures = try await DigestFigures.read(
      yesterday, from: settings.zone.first(of: yesterday, secondsOfDay: 0), to: settings.zone.first(of: today, secondsOfDay: 0),
      until: due + .seconds(86_400), on: pool)
    let mail = DigestText(settings.language, zone: settings.zone).mail(figures, of: yesterday)
    if await send(mail, id: "digest-\(installation)-\(today)") { try await MailRecords.sentDigest(today, on: pool) }
  }

  private func send(_ mail: MailText, id: String) async -> Bool {
    var request = HTTPRequest("MAIL", settings.url, timeout: settings.timeout)
    request.mail = MailEnvelope(
      from: settings.sender, to: settings.recipients, user: settings.user, password: settings.password)
    request.body = mail.rendered(
      from: settings.sender, to: settings.recipients, id: id, at: now(), isRightToLeft: settings.language == .arabic)
    let reason: String
    switch await http.send(request) {
    case .success(let answer) where answer.status < 400: return true
    case .success(let answer): reason = "status_\(answer.status)"
    case .failure(let failure): reason = failure.reason
    }
    log("mail_not_sent", [("mail", id), ("reason", reason)])
    return false
  }
}
