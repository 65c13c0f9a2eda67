/// Where a country's mobile numbers lie: the length of the national number and its first two digits.
///
/// Debian's libphonenumber carries the metadata of 2022, so what was opened since (UAE 053, Yemen 078) stands here; and
/// what stands here is read about a hundred times faster. A range is listed when all or most of it is mobile; what is
/// not listed is the library's to judge, so a missing range costs time and a wrong one an undeliverable message.
struct MobilePlan: Sendable {
  let region: String
  let callingCode: Int
  /// Digits of the national significant number.
  let length: Int
  /// Bit n: the first two digits are n.
  let starts: UInt128
  /// Whether people write a 0 before the national number.
  let hasTrunkZero: Bool
  /// The Arab countries: digits that spell one of their mobiles are taken for it even where the `+` is missing.
  let isNear: Bool

  init(_ region: String, _ callingCode: Int, _ length: Int, _ starts: [Int], trunkZero: Bool = true, near: Bool = true)
  {
    (self.region, self.callingCode, self.length, hasTrunkZero, isNear) = (region, callingCode, length, trunkZero, near)
    self.starts = starts.reduce(0) { $0 | 1 << UInt128($1) }
  }

  func contains(_ national: Int64, length: Int) -> Bool {
    guard length == self.length else { return false }
    let start = national / MobilePlan.powers[length - 2]
    return start < 100 && starts >> UInt128(start) & 1 == 1
  }

  /// The plan to which an E.164 number of that many digits belongs. Calling codes are prefix-free.
  static func owning(_ digits: Int64, count: Int) -> MobilePlan? {
    for codeLength in 1...3 where count > codeLength + 6 {
      let rest = count - codeLength
      guard let range = byCallingCode[Int(digits / powers[rest])] else { continue }
      let national = digits % powers[rest]
      for plan in all[range] where plan.contains(national, length: rest) { return plan }
      return nil
    }
    return nil
  }

  static func plans(callingCode: Int) -> ArraySlice<MobilePlan> { byCallingCode[callingCode].map { all[$0] } ?? [] }

  static let powers: [Int64] = {
    var powers: [Int64] = [1]
    for _ in 1...18 { powers.append((powers.last ?? 1) * 10) }
    return powers
  }()

  /// By calling code, below 1000: the places in `all`.
  private static let byCallingCode: [Range<Int>?] = {
    var table = [Range<Int>?](repeating: nil, count: 1000)
    for (index, plan) in all.enumerated() {
      table[plan.callingCode] = (table[plan.callingCode]?.lowerBound ?? index)..<(index + 1)
    }
    return table
  }()

  /// Sources: the numbering plans as libphonenumber 8.12.57 has them, checked range by range by `PhoneTests`, and
  /// 9.0.43 for what is newer. Plans of one country stand together.
  static let all: [MobilePlan] = [
    MobilePlan("EG", 20, 10, [10, 11, 12, 15]),
    MobilePlan("SA", 966, 9, [50, 51, 53, 54, 55, 56, 57, 58, 59]),
    MobilePlan("AE", 971, 9, [50, 52, 53, 54, 55, 56, 58]),
    MobilePlan("KW", 965, 8, [41, 50, 51, 55, 60, 65, 66, 94, 96, 97, 99], trunkZero: false),
    MobilePlan("QA", 974, 8, Array(30...39) + Array(50...79), trunkZero: false),
    MobilePlan("BH", 973, 8, Array(31...39), trunkZero: false),
    MobilePlan("OM", 968, 8, [71, 72, 77, 78, 79] + Array(91...99), trunkZero: false),
    MobilePlan("JO", 962, 9, [77, 78, 79]),
    MobilePlan("LB", 961, 7, Array(30...39)),
    MobilePlan("LB", 961, 8, [70, 71, 76, 81]),
    MobilePlan("MA", 212, 9, Array(60...71) + [76, 77, 78]),
    MobilePlan("TN", 216, 8, Array(20...29) + Array(40...47) + Array(50...59) + Array(90...99), trunkZero: false),
    MobilePlan("DZ", 213, 9, [55, 65, 66, 67, 69, 77, 78, 79]),
    MobilePlan("IQ", 964, 10, Array(73...79)),
    MobilePlan("YE", 967, 9, [70, 71, 73, 77, 78]),
    MobilePlan("LY", 218, 9, Array(91...96)),
    MobilePlan("SD", 249, 9, [10, 11, 12, 90, 91, 92, 93, 95, 96, 99]),
    MobilePlan("PS", 970, 9, [56, 59]),
    MobilePlan("SY", 963, 9, [91, 92, 93, 94, 95, 96, 98, 99]),
    MobilePlan(
      "MR", 222, 8, Array(20...24) + Array(26...34) + Array(36...44) + Array(46...49), trunkZero: false),
    MobilePlan("SO", 252, 9, Array(61...69) + [90]),
    MobilePlan("DJ", 253, 8, [77], trunkZero: false),
    MobilePlan("KM", 269, 7, Array(30...49), trunkZero: false),
    // Not Arab, but often in the same lists.
    MobilePlan("TR", 90, 10, [53, 54], near: false),
    MobilePlan("IR", 98, 10, [91, 93], near: false),
    MobilePlan("PK", 92, 10, [30, 31, 32, 34], near: false),
    MobilePlan("IN", 91, 10, [70, 84] + Array(90...99), near: false),
    MobilePlan("BD", 880, 10, [13, 14, 15, 16, 17, 18, 19], near: false),
    MobilePlan("FR", 33, 9, [60, 61, 62, 64, 65, 66, 67, 68, 73, 74, 75, 76, 77, 78, 79], near: false),
    MobilePlan("ET", 251, 9, Array(90...99), near: false),
  ]
}
