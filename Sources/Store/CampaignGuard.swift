import Domain
import JSON

extension CampaignSpec {
  /// What stops the campaign by itself, and who lets it go on.
  public struct Guarding: Sendable, Equatable {
    /// The rating of a sending number at which the campaign stops, in Meta's words.
    public enum PauseAt: String, CaseIterable, Sendable { case yellow = "YELLOW", red = "RED" }
    /// Who ends a pause when its cause is gone: a person, or the guard once Meta has lifted it.
    public enum Resume: String, CaseIterable, Sendable { case `operator`, automatic }

    public var pauseAt = PauseAt.yellow
    /// Shares of the people reached, 0.001 to 1. Above them the campaign stops (product §1.3).
    public var maxOptOut = Amount(billionths: 20_000_000)
    /// Only 131026: numbers without WhatsApp, an old list.
    public var maxUndeliverable = Amount(billionths: 200_000_000)
    public var resume = Resume.operator

    public init() {}

    init(json: JSONValue, at path: String) throws(Problem) {
      let fields = try Fields(
        json, at: path, known: ["pause_at", "max_opt_out", "max_undeliverable", "resume"], later: ["pilot"])
      if let word = try fields.word("pause_at", PauseAt.self) { pauseAt = word }
      if let share = try Guarding.share(fields, "max_opt_out") { maxOptOut = share }
      if let share = try Guarding.share(fields, "max_undeliverable") { maxUndeliverable = share }
      if let word = try fields.word("resume", Resume.self) { resume = word }
    }

    private static func share(_ fields: Fields, _ name: String) throws(Problem) -> Amount? {
      guard let value = fields[name] else { return nil }
      guard case .number(let text) = value, let share = Amount(text), share >= Amount(billionths: 1_000_000),
        share <= Amount(billionths: 1_000_000_000)
      else {
        throw .invalid(fields.path(to: name), "Here a share is expected.", remedy: "Write a number from 0.001 to 1.")
      }
      return share
    }

    var json: JSONValue {
      [
        "pause_at": .string(pauseAt.rawValue), "max_opt_out": .number(maxOptOut.text(minimumDecimals: 2)),
        "max_undeliverable": .number(maxUndeliverable.text(minimumDecimals: 2)), "resume": .string(resume.rawValue),
      ]
    }
  }
}
