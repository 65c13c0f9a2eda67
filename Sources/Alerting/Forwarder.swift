import CloudAPI
import Crypto
import Domain
import Governor
import HTTPClient
import Postgres
import Reactor
import Store

/// Passes Meta's webhooks on to desks and bots, so that they stay attached although Qafila owns the webhook: the raw body, byte
/// for byte, with the signature that Meta's own would have. Any number of nodes may run one; each endpoint has one at a time.
///
/// What people write goes one by one, in the order received; receipts between go several at once. A receiver that does not
/// answer holds its own queue, as long as raw webhooks are kept; one that refuses a body has it put aside after `attempts`,
/// so that one bad body holds nobody.
public actor Forwarder {
  public struct Settings: Sendable {
    public var lookEvery: Duration = .milliseconds(500)
    /// Receipts under way at once.
    public var width = 8
    public var timeout: Duration = .seconds(15)
    public var lease: Duration = .seconds(60)
    public var retry: DeliveryRetry = {
      var retry = DeliveryRetry()
      (retry.longest, retry.attempts) = (600_000_000_000, 8)
      return retry
    }()
    public var targets = TargetRule()
    public var caFile: String?
    public init() {}
  }

  nonisolated let reactor: Reactor
  public nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }

  private let settings: Settings
  private let secrets: EndpointSecrets
  private let pool: Pool
  private let log: @Sendable (String, [(String, String)]) -> Void
  private let receivers: Receivers
  private let node = Crypto.randomBytes(8).reduce(Int64(0)) { $0 << 8 | Int64($1) } & Int64.max
  private var running: Set<Endpoint.ID> = []
  private var chance = SystemRandomNumberGenerator()

  public init(
    settings: Settings = Settings(), secrets: EndpointSecrets, pool: Pool, on reactor: Reactor,
    log: @escaping @Sendable (_ event: String, _ fields: [(String, String)]) -> Void
  ) {
    precondition(settings.lease > settings.timeout + settings.timeout, "a forward's lease must outlive its requests")
    (self.settings, self.secrets, self.pool, self.reactor, self.log) = (settings, secrets, pool, reactor, log)
    receivers = Receivers(
      connections: settings.width, timeout: settings.timeout, targets: settings.targets, caFile: settings.caFile, on: reactor)
  }

  /// Until it is cancelled.
  public func run() async throws {
    await withDiscardingTaskGroup { group in
      while !Task.isCancelled {
        do {
          let targets = try await Endpoints.targets(on: pool).filter { $0.forward != nil }
          receivers.keep(Set(targets.map(\.id)))
          // A round of one endpoint never waits for a round of another.
          for target in targets where running.insert(target.id).inserted {
            group.addTask(executorPreference: reactor.tasks) { await self.round(target) }
          }
          try await reactor.sleep(for: settings.lookEvery)
        } catch is CancellationError {
          break
        } catch {
          log("forwards_wait", [("error", "\(error)")])
          do { try await reactor.sleep(for: settings.lookEvery) } catch { break }
        }
      }
      group.cancelAll()
    }
    receivers.close()
  }

  /// Passes what there is, until there is nothing, it fails, or another node holds the endpoint.
  private func round(_ target: Endpoints.Target) async {
    defer { running.remove(target.id) }
    do {
      guard let secret = secrets.open(target.sealed) else {
        log("forward_secret_unreadable", [("endpoint", target.id.description)])
        return
      }
      let accounts = try await Forwards.accounts(of: target.business, on: pool)
      let signature = WebhookSignature(appSecrets: [secret])
      while !Task.isCancelled, let holding = try await Forwards.hold(target.id, node: node, lease: settings.lease, on: pool) {
        try await replay(target, signature)
        guard holding.wait == .zero, let next = try await Forwards.next(target.id, on: pool) else {
          if holding.wait == .zero { try await Forwards.rest(target.id, on: pool) }
          return
        }
        guard try await pass(next, to: target, signature, accounts, holding) else { return }
      }
    } catch is CancellationError {
      return
    } catch {
      log("forward_waits", [("endpoint", target.id.description), ("error", "\(error)")])
    }
  }

  /// Passes the rest of a batch; false when it must wait. Its lease is renewed by the next batch, so it ends early when it
  /// takes long.
  private func pass(
    _ next: Forwards.Next, to target: Endpoints.Target, _ signature: WebhookSignature, _ accounts: Set<String>,
    _ holding: Forwards.Holding
  ) async throws -> Bool {
    let started = BootInstant.now
    var place = next.first
    var recorded = place
    while place < next.bodies.count {
      let group = Forwarder.group(next.bodies, from: place, width: settings.width, forward: target.forward ?? .all, accounts)
      var verdicts: [Receivers.Verdict] = []
      if !group.send.isEmpty { verdicts = await post(group.send.map { next.bodies[$0] }, to: target, signature) }
      if let (index, verdict) = zip(group.send, verdicts).first(where: { if case .taken = $0.1 { false } else { true } }) {
        // Those before it are passed; those after it that were taken are passed again: at least once.
        if index > recorded {
          guard try await Forwards.pass(target.id, next, upTo: index, node: node, on: pool) else { return false }
        }
        return try await refused(next, index, verdict, before: index == next.first ? holding : nil, target)
      }
      place = group.end
      let isLong = BootInstant.now - started > settings.lease / 4
      // A commit for what took a moment, not for each body.
      if place == next.bodies.count || isLong || place - recorded >= 100 || !group.isReceipts {
        guard try await Forwards.pass(target.id, next, upTo: place, node: node, on: pool) else { return false }
        recorded = place
      }
      if isLong { return true }
    }
    return true
  }

  private func refused(
    _ next: Forwards.Next, _ index: Int, _ verdict: Receivers.Verdict, before: Forwards.Holding?, _ target: Endpoints.Target
  ) async throws -> Bool {
    let (status, reason, asked): (Int?, String, Int64)
    switch verdict {
    case .taken: preconditionFailure("what was taken is not refused")
    case .interrupted: throw CancellationError()
    case .gone: (status, reason, asked) = (410, "gone", 0)
    case .failed(let s, let r, let a): (status, reason, asked) = (s, r, a)
    }
    // Only an answer about this body counts against it: a receiver that is down, or asks for time, is waited for.
    let isAnswer = Forwarder.isAnswer(status, reason)
    let failures = before.map { isAnswer && !Forwarder.isAnswer($0.status, $0.reason) ? 0 : $0.failures } ?? 0
    var wait = settings.retry.wait(after: failures + 1, asked: asked, &chance)
    if wait == nil, !isAnswer { wait = settings.retry.longest }
    log(
      wait == nil ? "forward_undelivered" : "forward_waits",
      [("endpoint", target.id.description), ("reason", reason), ("attempt", String(failures + 1))])
    guard let wait else {
      return try await Forwards.pass(
        target.id, next, upTo: index + 1, failed: (failures + 1, status, reason), node: node, on: pool)
    }
    try await Forwards.wait(
      target.id, for: .nanoseconds(wait), failures: failures + 1, receivedAt: next.receivedAt, status: status,
      reason: reason, node: node, on: pool)
    return false
  }

  private static func isAnswer(_ status: Int?, _ reason: String?) -> Bool {
    reason == "status" && ![408, 425, 429, 502, 503, 504].contains(status)
  }

  /// What goes at once from `place` on: one body in which people speak, or receipts up to the next such body. What the
  /// endpoint is not to get is passed over.
  static func group(
    _ bodies: [[UInt8]], from place: Int, width: Int, forward: EndpointSpec.Forward, _ accounts: Set<String>
  ) -> (send: [Int], end: Int, isReceipts: Bool) {
    var send: [Int] = []
    var at = place
    while at < bodies.count, send.count < width {
      let contents = WebhookContents(bodies[at])
      let isWanted =
        switch (forward, contents) {
        // Of another business's account, or no webhook.
        case (_, nil): false
        case (_, let found?) where found.accounts.isEmpty || !found.accounts.isSubset(of: accounts): false
        case (.all, _): true
        case (.messages, let found?): found.hasMessages
        case (.statuses, let found?): found.hasStatuses
        }
      guard isWanted else {
        at += 1
        continue
      }
      let isSpoken = contents?.hasMessages == true
      if isSpoken, !send.isEmpty { return (send, at, true) }
      send.append(at)
      at += 1
      if isSpoken { return (send, at, false) }
    }
    return (send, at, true)
  }

  /// In the order given; what is not sent is not there.
  private func post(_ bodies: [[UInt8]], to target: Endpoints.Target, _ signature: WebhookSignature) async
    -> [Receivers.Verdict]
  {
    let client = receivers.client(of: target.id)
    let requests = bodies.map { body in
      receivers.request(
        target.url,
        headers: [("Content-Type", "application/json"), ("X-Hub-Signature-256", signature.sign(body) ?? "")], body: body)
    }
    return await withTaskGroup(of: (Int, Receivers.Verdict).self) { group in
      for (index, request) in requests.enumerated() {
        group.addTask(executorPreference: reactor.tasks) { (index, Receivers.verdict(await client.send(request))) }
      }
      var verdicts = [Receivers.Verdict](repeating: .interrupted, count: requests.count)
      for await (index, verdict) in group { verdicts[index] = verdict }
      return verdicts
    }
  }

  /// What somebody wants tried again, out of its order.
  private func replay(_ target: Endpoints.Target, _ signature: WebhookSignature) async throws {
    for failed in try await Forwards.replaying(target.id, limit: 3, on: pool) {
      guard let body = try await Forwards.body(failed, on: pool) else {
        try await Forwards.replayed(target.id, failed, status: nil, reason: "expired", on: pool)
        continue
      }
      switch await post([body], to: target, signature)[0] {
      case .taken: try await Forwards.replayed(target.id, failed, status: nil, reason: nil, on: pool)
      case .gone: try await Forwards.replayed(target.id, failed, status: 410, reason: "gone", on: pool)
      case .failed(let status, let reason, _):
        try await Forwards.replayed(target.id, failed, status: status, reason: reason, on: pool)
      case .interrupted: throw CancellationError()
      }
    }
  }
}
