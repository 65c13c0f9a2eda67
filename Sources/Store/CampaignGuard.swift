import Domain
import JSON

extension CampaignSpec {
  /// What stops the campaign by itself, and who lets it go on.
  public struct Guarding: Sendable, Equatable {
    /// The rating of a sending number at which the campaign stops, in Meta's words.
    public enum PauseAt: String, CaseIterable, Sendable { case yellow = "YELLOW", red = "RED" }

    public var pauseAt = PauseAt.yellow
    /// Shares of the people reached, 0.001 to 1. Above them the campaign stops (product §1.3).
    public var maxOptOut = Amount(billionths: 20_000_000)
    /// Only 131026: numbers without WhatsApp, an old list.
    public var maxUndeliverable = Amount(billionths: 200_000_000)
    public var pilot = PilotChoice.unlessKnown
    public var resume = Resume.operator

    public init() {}

    init(json: JSONValue, at path: String) throws(Problem) {
      let fields = try Fields(json, at: path, known: ["pause_at", "max_opt_out", "max_undeliverable", "pilot", "resume"])
      if let word = try fields.word("pause_at", PauseAt.self) { pauseAt = word }
      if let share = try fields.share("max_opt_out", in: Guarding.shares) { maxOptOut = share }
      if let share = try fields.share("max_undeliverable", in: Guarding.shares) { maxUndeliverable = share }
      if let value = fields["pilot"] { pilot = try PilotChoice(json: value, at: fields.path(to: "pilot")) }
      if let value = fields["resume"] { resume = try Resume(json: value, at: fields.path(to: "resume")) }
    }

    static let shares: ClosedRange<Int128> = 1_000_000...1_000_000_000

    /// What a pilot's bad rate must be shown to be below.
    public func maxBad(of pilot: Pilot) -> Amount {
      pilot.maxBad ?? min(Amount(billionths: maxOptOut.billionths * 2), Amount(billionths: 1_000_000_000))
    }

    var json: JSONValue {
      [
        "pause_at": .string(pauseAt.rawValue), "max_opt_out": .number(maxOptOut.text(minimumDecimals: 2)),
        "max_undeliverable": .number(maxUndeliverable.text(minimumDecimals: 2)), "pilot": pilot.json,
        "resume": resume.json,
      ]
    }
  }
}
