import Domain
import Governor
import HTTPClient
import JSON
import Postgres
import Reactor
import Store

/// Tells the outside what happened: derives alerts from the tables of events and posts them, signed, to the endpoints that
/// people registered. Any number of nodes may run one.
///
/// At least once, under the same id: what is taken and not recorded (the process died in between) is taken again when its
/// lease is over. It has a thread and sessions of its own, and stands in nobody's way: no sender waits for a stranger.
public actor Courier {
  public struct Settings: Sendable {
    public var deriveEvery: Duration = .seconds(1)
    public var lookEvery: Duration = .milliseconds(500)
    /// Requests under way to one endpoint.
    public var perEndpoint = 4
    /// From connecting to the answer's last byte.
    public var timeout: Duration = .seconds(15)
    /// How long a delivery under way belongs to whoever took it; more than the timeout.
    public var lease: Duration = .seconds(60)
    public var retry = DeliveryRetry()
    /// Where addresses may lead.
    public var targets = TargetRule()
    public var caFile: String?
    public init() {}
  }

  nonisolated let reactor: Reactor
  public nonisolated var unownedExecutor: UnownedSerialExecutor { reactor.asUnownedSerialExecutor() }

  private let settings: Settings
  private let installation: String
  private let secrets: EndpointSecrets
  private let pool: Pool
  private let log: @Sendable (String, [(String, String)]) -> Void
  private let receivers: Receivers
  private var underWay: [Endpoint.ID: Int] = [:]
  private var chance = SystemRandomNumberGenerator()

  public init(
    settings: Settings = Settings(), installation: Installation, secrets: EndpointSecrets, pool: Pool, on reactor: Reactor,
    log: @escaping @Sendable (_ event: String, _ fields: [(String, String)]) -> Void
  ) {
    precondition(settings.lease > settings.timeout, "a delivery's lease must outlive its request")
    (self.settings, self.installation, self.secrets) = (settings, installation.name, secrets)
    (self.pool, self.reactor, self.log) = (pool, reactor, log)
    receivers = Receivers(
      connections: settings.perEndpoint, timeout: settings.timeout, targets: settings.targets, caFile: settings.caFile,
      on: reactor)
  }

  /// Until it is cancelled.
  public func run() async throws {
    await withDiscardingTaskGroup { group in
      group.addTask(executorPreference: reactor.tasks) {
        await self.repeating(self.settings.deriveEvery, "alerts_wait") {
          while try await AlertSources.derive(on: self.pool) > 0 {}
        }
      }
      await withDiscardingTaskGroup { posts in
        while !Task.isCancelled {
          do {
            for (target, taken) in try await take() {
              posts.addTask(executorPreference: reactor.tasks) { await self.deliver(taken, to: target) }
            }
            try await reactor.sleep(for: settings.lookEvery)
          } catch is CancellationError {
            break
          } catch {
            log("deliveries_wait", [("error", "\(error)")])
            do { try await reactor.sleep(for: settings.lookEvery) } catch { break }
          }
        }
        posts.cancelAll()
      }
      group.cancelAll()
    }
    receivers.close()
  }

  private func repeating(_ pause: Duration, _ event: String, _ step: @Sendable () async throws -> Void) async {
    while !Task.isCancelled {
      do {
        try await step()
        try await reactor.sleep(for: pause)
      } catch is CancellationError {
        return
      } catch {
        log(event, [("error", "\(error)")])
        do { try await reactor.sleep(for: pause) } catch { return }
      }
    }
  }

  /// What is due, as far as each endpoint has room.
  private func take() async throws -> [(Endpoints.Target, Deliveries.Taken)] {
    let targets = try await Endpoints.targets(on: pool)
    receivers.keep(Set(targets.map(\.id)))
    var all: [(Endpoints.Target, Deliveries.Taken)] = []
    for target in targets where target.isDue && target.forward == nil {
      let room = settings.perEndpoint - underWay[target.id, default: 0]
      guard room > 0 else { continue }
      let taken = try await Deliveries.take(target.id, limit: room, lease: settings.lease, on: pool)
      underWay[target.id, default: 0] += taken.count
      all += taken.map { (target, $0) }
    }
    return all
  }

  private func deliver(_ taken: Deliveries.Taken, to target: Endpoints.Target) async {
    defer { underWay[target.id, default: 1] -= 1 }
    do {
      let verdict = try await post(taken, to: target)
      if verdict == .interrupted { return }
      try await Deliveries.record(taken, outcome(verdict, taken), on: pool)
    } catch {
      // Its lease brings it back.
      log("delivery_not_recorded", [("endpoint", target.id.description), ("error", "\(error)")])
    }
  }

  private func post(_ taken: Deliveries.Taken, to target: Endpoints.Target) async throws -> Receivers.Verdict {
    let secrets = ([target.sealed] + (target.sealedBefore.map { [$0] } ?? [])).compactMap { self.secrets.open($0) }
    guard !secrets.isEmpty else { return .failed(status: nil, reason: "secret_unreadable", asked: 0) }
    let alert = try SignedAlert(
      taken.alert, event: taken.event, at: taken.at, data: taken.data, installation: installation)
    let request = receivers.request(target.url, headers: alert.headers(secrets: secrets, at: .now), body: alert.body)
    return Receivers.verdict(await receivers.client(of: target.id).send(request))
  }

  private func outcome(_ verdict: Receivers.Verdict, _ taken: Deliveries.Taken) -> Deliveries.Outcome {
    let (status, reason, asked): (Int?, String, Int64)
    switch verdict {
    case .taken(let status): return .delivered(status: status)
    case .gone: (status, reason, asked) = (410, "gone", 0)
    case .failed(let s, let r, let a): (status, reason, asked) = (s, r, a)
    case .interrupted: preconditionFailure("an interrupted delivery has no outcome")
    }
    let wait = reason == "gone" ? nil : settings.retry.wait(after: taken.attempt, asked: asked, &chance)
    log(
      wait == nil ? "alert_undelivered" : "alert_waits",
      [
        ("endpoint", taken.endpoint.description), ("alert", taken.alert.description), ("reason", reason),
        ("attempt", String(taken.attempt)),
      ])
    guard let wait else { return .givenUp(status: status, reason: reason) }
    return .waits(.nanoseconds(wait), status: status, reason: reason)
  }
}
