import Domain
import JSON

extension CampaignSpec.Guarding {
  /// A sample first: its outcome is awaited, and the next step opens only when the bad rate is shown to be below the limit.
  public struct Pilot: Sendable, Equatable {
    /// People of the first step, a random sample of every country, audience and zone. Three steps follow: 4 times as many,
    /// 16 times, the rest.
    public var size = 500
    /// How long outcomes are awaited after the last message of a step.
    public var wait: Duration = .seconds(1800)
    /// How sure the bound on the bad rate is.
    public var confidence = Amount(billionths: 950_000_000)
    /// The bad rate must be shown to be below this. Nil: twice the campaign's `max_opt_out`, because a sample of 500 whose
    /// true rate is half that limit would else fail by chance (at twice: 4 times in 1,000).
    public var maxBad: Amount?

    public init() {}

    init(json: JSONValue, at path: String) throws(Problem) {
      if case .number = json {
        size = Int(try Fields.whole(json, in: Pilot.sizes, at: path))
        return
      }
      let fields = try Fields(json, at: path, known: ["size", "wait", "confidence", "max_bad"])
      if let people = try fields.integer("size", in: Pilot.sizes) { size = Int(people) }
      if let time = try fields.duration("wait", in: .seconds(1) ... .seconds(86_400)) { wait = time }
      if let share = try fields.share("confidence", in: 500_000_000...999_999_000) { confidence = share }
      maxBad = try fields.share("max_bad", in: 1_000_000...1_000_000_000)
    }

    static let sizes: ClosedRange<Int64> = 50...100_000

    var json: JSONValue {
      var object: JSONObject = [
        "size": .number(String(size)), "wait": .string(Fields.text(of: wait)),
        "confidence": .number(confidence.text(minimumDecimals: 2)),
      ]
      if let maxBad { object.append("max_bad", .number(maxBad.text(minimumDecimals: 2))) }
      return .object(object)
    }
  }

  /// Whether a campaign begins with a sample. Unless said, one does that is the first of its template to more people than
  /// `pilotFrom` (product §1.2).
  public enum PilotChoice: Sendable, Equatable {
    case unlessKnown
    case never
    case always(Pilot)

    init(json: JSONValue, at path: String) throws(Problem) {
      switch json {
      case .bool(false): self = .never
      case .string("auto"): self = .unlessKnown
      case .number, .object: self = .always(try Pilot(json: json, at: path))
      default:
        throw .invalid(
          path, "Here a pilot is expected.",
          remedy: "Write how many people try it first, {\"size\": 500, \"wait\": \"PT30M\"}, \"auto\" or false.")
      }
    }

    var json: JSONValue {
      switch self {
      case .unlessKnown: "auto"
      case .never: false
      case .always(let pilot): pilot.json
      }
    }
  }

  /// Beyond so many people, a template that was never sent is tried first.
  public static let pilotFrom = 5000

  /// The pilot as it runs when one does.
  public var pilotInUse: Pilot { if case .always(let pilot) = pilot { pilot } else { Pilot() } }

  /// Where the steps of a pilot end, in the frozen order; the last step has no number in it.
  public static func steps(of size: Int) -> [Int] { [size, 5 * size, 21 * size] }

  /// The step of the `place`th recipient, from 1.
  public static func step(of place: Int, size: Int) -> Int { (steps(of: size).firstIndex { place <= $0 } ?? 3) + 1 }
}
