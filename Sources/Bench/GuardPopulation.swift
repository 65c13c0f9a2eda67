import Domain
import GuardTrial
import Guarding
import Population
import Store

/// Promise 4 in numbers: 100 campaigns of each kind to 50,000 people in virtual time, by the Sandbox's model of people and
/// the guard's own rules with their defaults. A badly targeted campaign goes to 30 % strangers.
enum GuardPopulation {
  struct Row: Sendable {
    var (seeds, halted, red, redUnhalted) = (0, 0, 0, 0)
    /// Messages sent before the halt, or before RED.
    var sent: [Double] = []
    var rules: [String: Int] = [:]
  }

  static func run(_ options: Bench.Options) async throws {
    let seeds = 100
    let rows = [
      ("bad_guarded", trials(seeds, strangers: 0.3, isGuarded: true)),
      ("bad_guarded_no_pilot", trials(seeds, strangers: 0.3, isGuarded: true, hasPilot: false)),
      ("bad_unguarded", trials(seeds, strangers: 0.3, isGuarded: false)),
      ("healthy_guarded", trials(seeds, strangers: 0, isGuarded: true)),
    ]
    Bench.say("campaign               seeds  halted  RED  sent: median    most  by rule")
    for (name, row) in rows {
      let rules = row.rules.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value)" }.joined(separator: ", ")
      Bench.say(
        pad(name, 22) + pad(row.seeds, 6) + pad(row.halted, 8) + pad(row.red, 5) + pad(Int(row.sent.median), 14)
          + pad(Int(row.sent.max() ?? 0), 8) + "  " + rules)
    }
    let (guarded, unguarded, healthy) = (rows[0].1, rows[2].1, rows[3].1)
    Line(name: "guard_population_stopped_in_time", value: Double(guarded.halted - guarded.red), unit: "of 100").print()
    Line(name: "guard_population_sent_at_most", value: guarded.sent.max() ?? 0, unit: "messages").print()
    Line(name: "guard_population_red_unguarded", value: Double(unguarded.red), unit: "of 100").print()
    Line(name: "guard_population_healthy_halted", value: Double(healthy.halted), unit: "of 100").print()
    guard guarded.halted - guarded.red >= 95, guarded.sent.count(where: { $0 <= 2000 }) >= 95, unguarded.red >= 95,
      healthy.halted <= 1
    else { throw BenchError("the guard does not keep its promise in this population") }
  }

  private static func trials(_ seeds: Int, strangers: Double, isGuarded: Bool, hasPilot: Bool = true) -> Row {
    var row = Row()
    for seed in 1...UInt64(seeds) {
      let result = trial(seed: seed, strangers: strangers, isGuarded: isGuarded, hasPilot: hasPilot)
      row.seeds += 1
      if let rule = result.haltedBy {
        row.halted += 1
        row.rules[rule, default: 0] += 1
      }
      if result.redAt != nil { row.red += 1 }
      row.sent.append(Double(result.redAt ?? result.sent))
    }
    return row
  }

  private static func trial(seed: UInt64, strangers: Double, isGuarded: Bool, hasPilot: Bool) -> PopulationTrial.Result {
    var trial = PopulationTrial(seed: seed)
    trial.model.strangers = strangers
    guard isGuarded else { return trial.run() }
    return trial.run(guarding: .init(), pilot: hasPilot ? .init() : nil)
  }

  private static func pad(_ value: some CustomStringConvertible, _ width: Int) -> String {
    let text = value.description
    let blanks = String(repeating: " ", count: max(0, width - text.count))
    return value is String ? text + blanks : blanks + text
  }
}
