import Domain
import Postgres
import Reactor
import Store

/// Keeps each campaign's counts for a while: a count is repeated at the earliest after 20 times its own duration, so
/// that any number of watchers cost the database at most a twentieth of one session.
actor CountsCache {
  struct Snapshot: Sendable {
    let counts: CampaignCounts
    let at: BootInstant
    let asOf: Instant
    /// People handed over per second, over the last seconds; nil until two counts tell.
    let rate: Double?
  }

  private struct Kept {
    var snapshot: Snapshot
    var goodUntil: BootInstant
    /// Earlier counts, the oldest first.
    var marks: [(at: BootInstant, handedOver: Int)]
  }

  private let pool: Pool
  private var kept: [Campaign.ID: Kept] = [:]
  private var running: [Campaign.ID: Task<Snapshot, any Error>] = [:]

  init(pool: Pool) { self.pool = pool }

  /// The campaign's counts, counted now or a while ago. Callers that come while it is counted wait for the same count.
  func counts(of id: Campaign.ID) async throws -> Snapshot {
    if let known = kept[id], known.goodUntil > .now { return known.snapshot }
    if let task = running[id] { return try await task.value }
    // A task of its own: the one who asked first may leave, the others still want it.
    let task = Task { try await count(id) }
    running[id] = task
    defer { running[id] = nil }
    return try await task.value
  }

  func forget(_ id: Campaign.ID) { kept[id]?.goodUntil = .now }

  private func count(_ id: Campaign.ID) async throws -> Snapshot {
    let started = BootInstant.now
    let counts = try await CampaignCounts.read(id, on: pool)
    let now = BootInstant.now
    var marks = kept[id]?.marks ?? []
    marks.append((now, counts.handedOver))
    // The rate is over some ten seconds: longer is stale after a pause, shorter jumps.
    while marks.count > 2, now - marks[1].at > .seconds(10) { marks.removeFirst() }
    var rate: Double?
    if let first = marks.first, now - first.at >= .milliseconds(500) {
      rate = Double(counts.handedOver - first.handedOver) / (Double((now - first.at).nanoseconds) / 1e9)
    }
    let snapshot = Snapshot(counts: counts, at: now, asOf: .now, rate: rate)
    if kept.count > 500 { kept = kept.filter { $0.value.goodUntil > now } }
    kept[id] = Kept(snapshot: snapshot, goodUntil: now + (now - started) * 20, marks: marks)
    return snapshot
  }
}
