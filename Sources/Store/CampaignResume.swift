import Domain
import JSON

extension CampaignSpec.Guarding {
  /// Who ends a pause when its cause is gone.
  public enum Resume: Sendable, Equatable {
    case `operator`
    /// Of a template that Meta paused: the guard, once Meta has lifted it.
    case automatic
    /// That too, and of a rating: the guard, once the colour has stayed GREEN for a time. It begins slowly.
    case byRule(Rule)

    public struct Rule: Sendable, Equatable {
      /// How long every sending number must have been GREEN.
      public var greenFor: Duration = .seconds(7200)
      /// The share of the pace it had before with which it begins again; it comes back in ten steps, one each ten minutes.
      public var pace = Amount(billionths: 500_000_000)

      public init() {}
    }

    init(json: JSONValue, at path: String) throws(Problem) {
      if case .object = json {
        let fields = try Fields(json, at: path, known: ["green_for", "pace"])
        var rule = Rule()
        if let time = try fields.duration("green_for", in: .seconds(1) ... .seconds(30 * 86_400)) { rule.greenFor = time }
        if let share = try fields.share("pace", in: 10_000_000...1_000_000_000) { rule.pace = share }
        self = .byRule(rule)
        return
      }
      switch json.stringValue {
      case "operator": self = .operator
      case "automatic": self = .automatic
      default:
        throw .invalid(
          path, "This word is not known here.",
          remedy: "Write one of: operator, automatic; or {\"green_for\": \"2h\", \"pace\": 0.5}.")
      }
    }

    var json: JSONValue {
      switch self {
      case .operator: "operator"
      case .automatic: "automatic"
      case .byRule(let rule):
        ["green_for": .string(Fields.text(of: rule.greenFor)), "pace": .number(rule.pace.text(minimumDecimals: 2))]
      }
    }
  }
}
