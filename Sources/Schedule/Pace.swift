/// How fast a campaign may send: at most so many messages in any second, minute or hour.
public struct Pace: Hashable, Sendable, CustomStringConvertible {
  public enum Unit: String, CaseIterable, Sendable {
    case second, minute, hour

    public var duration: Duration {
      switch self {
      case .second: .seconds(1)
      case .minute: .seconds(60)
      case .hour: .seconds(3600)
      }
    }

    fileprivate init?(_ text: Substring) {
      switch text {
      case "s", "sec", "second": self = .second
      case "m", "min", "minute": self = .minute
      case "h", "hr", "hour": self = .hour
      default: return nil
      }
    }
  }

  public let limit: Int
  public let unit: Unit

  /// Nil unless the limit is 1 to 1,000,000.
  public init?(_ limit: Int, per unit: Unit) {
    guard (1...1_000_000).contains(limit) else { return nil }
    (self.limit, self.unit) = (limit, unit)
  }

  /// Reads `20/s`, `300/min`, `1000/hour`, `20 per second`; a bare number is per second. Case does not matter.
  public init?(_ text: some StringProtocol) {
    let lower = text.lowercased()
    let digits = lower.prefix { $0.isASCII && $0.isNumber }
    guard (1...7).contains(digits.count), let limit = Int(digits) else { return nil }
    var rest = lower[digits.endIndex...].drop { $0 == " " }
    if rest.isEmpty {
      self.init(limit, per: .second)
      return
    }
    if rest.first == "/" {
      rest = rest.dropFirst()
    } else if rest.hasPrefix("per ") {
      rest = rest.dropFirst(4)
    } else {
      return nil
    }
    guard let unit = Unit(rest.drop { $0 == " " }) else { return nil }
    self.init(limit, per: unit)
  }

  public var window: Duration { unit.duration }

  /// `20/second`.
  public var description: String { "\(limit)/\(unit.rawValue)" }
}
