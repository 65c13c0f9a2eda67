import Crypto
import Domain
import Glibc
import HTTPClient
import Reactor

/// Sends webhooks: gathers changes into batches, signs the raw bytes, keeps trying while the answer is not 200.
final class WebhookPost {
  private final class Batch {
    let body: [UInt8]
    let url: String
    /// People whose stop travels in it.
    let stops: [Int64]
    let changes: Int
    var attempts = 0
    init(_ body: [UInt8], _ url: String, _ stops: [Int64], _ changes: Int) {
      (self.body, self.url, self.stops, self.changes) = (body, url, stops, changes)
    }
  }

  /// What waits to become one account's entry.
  private struct Gathering {
    var bytes: [UInt8] = []
    var changes = 0
    var stops: [Int64] = []
  }

  var url: String?
  /// Told the stops of a webhook that was answered 200.
  var acknowledged: ([Int64]) -> Void = { _ in }
  private let settings: SandboxSettings.Receipts
  private let key: MACKey
  private let client: HTTPClient
  private let reactor: Reactor
  private let accounts: [Account]
  private let calendar: Calendar
  private var gatherings: [Gathering]
  private var flushTimer: Reactor.TimerID?
  private var queue: [Batch] = []
  private var first = 0
  private var queuedBytes = 0
  private var inFlight = 0
  private var silenced: [Wheel.Event] = []
  private var isStopped = false

  // Sums, in changes.
  private(set) var delivered = 0
  private(set) var retries = 0
  private(set) var dropped = 0
  /// Changes of accounts without subscription or address.
  private(set) var unwanted = 0
  var lost = 0
  var waiting: Int { queue[first...].reduce(gatherings.reduce(0) { $0 + $1.changes }) { $0 + $1.changes } }
  var silencedCount: Int { silenced.count }

  init(_ settings: SandboxSettings, _ accounts: [Account], _ calendar: Calendar, on reactor: Reactor) {
    self.calendar = calendar
    (self.settings, self.accounts, self.reactor, url) = (settings.receipts, accounts, reactor, settings.webhookURL)
    key = MACKey(Array(settings.appSecret.utf8))
    var client = HTTPClientSettings(maxConnections: settings.receipts.inFlight + 4)
    client.userAgent = "facebookexternalua"
    self.client = HTTPClient(on: reactor, settings: client)
    gatherings = accounts.map { _ in Gathering() }
  }

  // MARK: Gathering

  /// A receipt; while silence lasts it is only remembered.
  func receipt(_ event: Wheel.Event, silenced isSilent: Bool, account: Account, _ render: (inout [UInt8]) -> Void) {
    guard !isSilent else { return silenced.append(event) }
    change(account: account, render)
  }

  /// The events silence kept back; they are no longer kept.
  func takeSilenced() -> [Wheel.Event] {
    defer { silenced = [] }
    return silenced
  }

  func change(account: Account, stop phone: Int64? = nil, _ render: (inout [UInt8]) -> Void) {
    guard account.isSubscribed, account.webhookOverride ?? url != nil else {
      unwanted += 1
      return
    }
    guard queuedBytes < settings.maxQueueBytes else { return drop(1) }
    if gatherings[account.index].changes > 0 { gatherings[account.index].bytes.append(UInt8(ascii: ",")) }
    render(&gatherings[account.index].bytes)
    gatherings[account.index].changes += 1
    if let phone { gatherings[account.index].stops.append(phone) }
    if gatherings[account.index].changes >= settings.batch {
      flush(account)
    } else if flushTimer == nil, !isStopped {
      flushTimer = reactor.schedule(at: .now + settings.flushDelay) { [unowned self] in
        flushTimer = nil
        for account in accounts { flush(account) }
      }
    }
  }

  private func flush(_ account: Account) {
    guard gatherings[account.index].changes > 0, let url = account.webhookOverride ?? url else { return }
    let gathering = gatherings[account.index]
    gatherings[account.index] = Gathering()
    var body: [UInt8] = []
    body.reserveCapacity(gathering.bytes.count + 128)
    body.append(#"{"object":"whatsapp_business_account","entry":[{"id":""#)
    body.append(contentsOf: account.id.utf8)
    body.append(#"","time":"#)
    body.append(decimal: Int64(calendar.seconds))
    body.append(#","changes":["#)
    body.append(contentsOf: gathering.bytes)
    body.append("]}]}")
    enqueue(Batch(body, url, gathering.stops, gathering.changes))
  }

  private func drop(_ changes: Int) {
    if dropped == 0 {
      let text = "qafila sandbox: the webhook queue is full, receipts are being dropped\n"
      _ = text.withCString { Glibc.write(2, $0, strlen($0)) }
    }
    dropped += changes
  }

  // MARK: Sending

  private func enqueue(_ batch: Batch) {
    queue.append(batch)
    queuedBytes += batch.body.count
    pump()
  }

  private func pump() {
    while inFlight < settings.inFlight, first < queue.count, !isStopped {
      let batch = queue[first]
      first += 1
      if first > 1024 {
        queue.removeFirst(first)
        first = 0
      }
      send(batch)
    }
  }

  private func send(_ batch: Batch) {
    inFlight += 1
    let headers = HeaderList([
      ("Content-Type", "application/json"), ("Accept", "*/*"),
      ("X-Hub-Signature-256", "sha256=" + Crypto.hex(key.hmacSHA256(batch.body))),
    ])
    let request = HTTPRequest("POST", batch.url, headers: headers, body: batch.body, timeout: .seconds(20))
    client.send(request) { [weak self] result in self?.ended(batch, result) }
  }

  private func ended(_ batch: Batch, _ result: Result<HTTPAnswer, HTTPFailure>) {
    inFlight -= 1
    guard !isStopped else { return }
    if case .success(let answer) = result, answer.status == 200 {
      queuedBytes -= batch.body.count
      delivered += batch.changes
      if !batch.stops.isEmpty { acknowledged(batch.stops) }
    } else {
      retries += 1
      batch.attempts += 1
      // The first retry comes at once, as Meta's does; then with growing delay.
      let delay =
        batch.attempts == 1 ? .zero : min(.seconds(60), settings.retryDelay * (1 << min(batch.attempts - 2, 16)))
      reactor.schedule(at: .now + delay) { [weak self] in
        guard let self, !isStopped else { return }
        queue.append(batch)
        pump()
      }
    }
    pump()
  }

  // MARK: Handshake

  /// Asks the address as Meta does when it is entered; true when it answered with the challenge.
  func handshake(_ url: String, verifyToken: String) async -> Bool {
    let challenge = String(1_000_000_000 + Crypto.randomBytes(4).reduce(0) { $0 << 8 | UInt64($1) } % 1_000_000_000)
    let query = "hub.mode=subscribe&hub.challenge=\(challenge)&hub.verify_token=\(WebhookPost.escaped(verifyToken))"
    let separator = url.utf8.contains(UInt8(ascii: "?")) ? "&" : "?"
    let result = await client.send(HTTPRequest("GET", url + separator + query, timeout: .seconds(10)))
    guard case .success(let answer) = result else { return false }
    return answer.status == 200 && answer.body.elementsEqual(challenge.utf8)
  }

  /// Everything but letters and digits as `%XX`.
  private static func escaped(_ text: String) -> String {
    var bytes: [UInt8] = []
    for byte in text.utf8 {
      switch byte {
      case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: bytes.append(byte)
      default:
        bytes.append(UInt8(ascii: "%"))
        bytes.append(hex: UInt64(byte), digits: 2)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  func stop() {
    isStopped = true
    if let flushTimer { reactor.cancel(flushTimer) }
    flushTimer = nil
    client.close()
  }
}
