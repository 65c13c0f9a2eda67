/// Days of the week, by ISO number: 1 is Monday, 7 is Sunday.
public struct Weekdays: OptionSet, Hashable, Sendable {
  public let rawValue: UInt8
  public init(rawValue: UInt8) { self.rawValue = rawValue & 0x7F }

  public static let all = Weekdays(rawValue: 0x7F)
  public static let fridayAndSaturday: Weekdays = [day(5), day(6)]
  public static let saturdayAndSunday: Weekdays = [day(6), day(7)]

  public static func day(_ isoNumber: Int) -> Weekdays {
    precondition((1...7).contains(isoNumber), "a week has no day \(isoNumber)")
    return Weekdays(rawValue: 1 << UInt8(isoNumber - 1))
  }

  public func contains(isoNumber: Int) -> Bool { contains(.day(isoNumber)) }

  private static let names = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

  /// `mon` to `sun`, as the API writes them.
  public var words: [String] { Weekdays.names.enumerated().compactMap { contains(.day($0 + 1)) ? $1 : nil } }

  /// Nil when a word is none of them.
  public init?(words: some Sequence<String>) {
    var days = Weekdays()
    for word in words {
      guard let index = Weekdays.names.firstIndex(of: word) else { return nil }
      days.insert(.day(index + 1))
    }
    self = days
  }

  /// The weekend of a country, by its ISO 3166 code. Countries not listed rest on Saturday and Sunday.
  public static func weekend(ofCountry code: String) -> Weekdays {
    switch code {
    case "EG", "SA", "KW", "JO", "QA", "BH", "OM", "IQ", "YE", "SY", "PS", "LY", "SD", "DZ": .fridayAndSaturday
    default: .saturdayAndSunday
    }
  }
}
