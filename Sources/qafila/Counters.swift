import Domain
import Intake
import Postgres
import Reactor
import Sending
import Store

/// What this process counts, as Prometheus reads it. Names and labels are constant: no phone, no number, no campaign.
final class Counters: Sendable {
  private struct Sources: Sendable {
    var intake: Intake?
    var folder: Folder?
    var sender: SenderCounters?
  }

  private let sources = Lock(Sources())
  private let reactors: [Reactor]

  init(reactors: [Reactor]) { self.reactors = reactors }

  func add(_ intake: Intake) { sources.with { $0.intake = intake } }
  func add(_ folder: Folder) { sources.with { $0.folder = folder } }
  func add(_ sender: Sender) {
    let counters = sender.counters
    sources.with { $0.sender = counters }
  }

  func text() async -> String {
    let sources = sources.with { $0 }
    var text = ""
    func put(_ name: String, _ kind: String, _ help: String, _ values: [(labels: String, value: Double)]) {
      text += "# HELP qafila_\(name) \(help)\n# TYPE qafila_\(name) \(kind)\n"
      for (labels, value) in values {
        text += "qafila_\(name)\(labels) \(value == value.rounded() ? String(Int64(value)) : String(value))\n"
      }
    }
    put(
      "late_turns_total", "counter", "Turns of a loop that took over 2 ms.",
      reactors.map { ("{loop=\"\($0.name)\"}", Double($0.lateTurns.count)) })
    put(
      "worst_turn_seconds", "gauge", "The longest turn of a loop.",
      reactors.map { ("{loop=\"\($0.name)\"}", Double($0.lateTurns.worst.nanoseconds) / 1e9) })
    if let counts = sources.sender?.now {
      put(
        "messages_total", "counter", "Messages of this process by what became of them.",
        [
          ("{what=\"claimed\"}", Double(counts.claimed)), ("{what=\"gated\"}", Double(counts.gated)),
          ("{what=\"handed_over\"}", Double(counts.handedOver)), ("{what=\"accepted\"}", Double(counts.accepted)),
          ("{what=\"refused\"}", Double(counts.refused)), ("{what=\"unknown\"}", Double(counts.unknown)),
          ("{what=\"not_sent\"}", Double(counts.notSent)), ("{what=\"recorded\"}", Double(counts.recorded)),
        ])
      put(
        "gate_failures_total", "counter", "Gate statements that failed; nothing leaves without one.",
        [("", Double(counts.gateFailures))])
      put(
        "worst_lateness_seconds", "gauge", "The latest hand-over after its slot.",
        [("", Double(counts.worstLateness) / 1e9)])
      put(
        "fullest_second_messages", "gauge", "The most messages of one number in any sliding second, at our socket.",
        [("", Double(counts.fullestSecond))])
      put(
        "people_held_total", "counter", "Urgent messages that found no room among the people of the day, each time.",
        [("", Double(counts.crowded))])
      put("worst_gate_seconds", "gauge", "The slowest gate statement.", [("", Double(counts.worstGate) / 1e9)])
    }
    if let intake = sources.intake {
      let counts = await intake.counts
      put(
        "webhooks_total", "counter", "Webhook bodies by what became of them.",
        [
          ("{what=\"stored\"}", Double(counts.stored)), ("{what=\"forged\"}", Double(counts.forged)),
          ("{what=\"unreadable\"}", Double(counts.unreadable)), ("{what=\"refused\"}", Double(counts.refused)),
        ])
      put(
        "stops_total", "counter", "Words of consent that ended writing to somebody.",
        [("{what=\"known\"}", Double(counts.stops)), ("{what=\"stray\"}", Double(counts.strayStops))])
    }
    if let folder = sources.folder {
      let counts = await folder.counts
      put(
        "folded_total", "counter", "What was folded into standings.",
        [
          ("{what=\"batches\"}", Double(counts.batches)), ("{what=\"receipts\"}", Double(counts.receipts)),
          ("{what=\"strays\"}", Double(counts.strays)),
        ])
      put("last_fold_seconds", "gauge", "How long the last fold took.", [("", Double(counts.lastFold) / 1e9)])
    }
    return text
  }
}

/// How far Meta's limits of people are used up: of all portfolios, so that no name stands in it.
enum PeopleMetric {
  static func text(_ pool: Pool) async -> String {
    do throws(DatabaseError) {
      let standings = try await PeopleCounts.standings(on: pool)
      guard let fullest = standings.map({ Double($0.used) / Double(max(1, $0.limit)) }).max() else { return "" }
      return "# HELP qafila_people_used_ratio People of the last 24 hours, of Meta's limit; of the fullest portfolio.\n"
        + "# TYPE qafila_people_used_ratio gauge\nqafila_people_used_ratio \(fullest)\n"
    } catch {
      // Without the database the other counts are still worth having.
      return ""
    }
  }
}
