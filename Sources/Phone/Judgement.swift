import CPhoneNumber
import Domain

/// Decides about a cleaned number: our table first, then libphonenumber, then what the digits could have meant.
struct Judgement {
  let region: PhoneRegion?
  let options: PhoneOptions

  func read(_ written: WrittenNumber) -> PhoneReading {
    written.isInternational ? international(written.digits) : national(written.digits)
  }

  private func international(_ digits: [UInt8]) -> PhoneReading {
    if let reading = mobile(digits) { return reading }
    guard let reading = LibraryReading(international: digits) else { return rejected(.invalid) }
    return judge(reading) ?? rejected(shape(of: reading))
  }

  private func national(_ digits: [UInt8]) -> PhoneReading {
    guard let region else {
      return mobile(digits, near: true, fix: .plusAdded) ?? rejected(.needsRegion(candidates: []))
    }
    if let reading = mobile(digits, of: region) { return reading }
    let reading = LibraryReading(national: digits, region: region.code)
    if let reading, reading.kind != .unknown, let judged = judge(reading) { return judged }
    if let reading, let old = oldFormat(reading) { return old }
    // Not a number of this country. Its own country's code without the `+`?
    if let repaired = mobile(digits, near: true, fix: .plusAdded) { return repaired }
    if let repaired = LibraryReading(international: digits), repaired.kind == .mobile,
      let plan = MobilePlan.plans(callingCode: repaired.callingCode).first, plan.isNear, let phone = repaired.phone
    {
      return PhoneReading(
        verdict: .accepted(phone, country: repaired.region, fixed: .plusAdded), kind: .mobile, country: repaired.region)
    }
    let owners = Judgement.owners(of: digits).filter { $0 != region.code }
    // The trunk zero narrows it down; eight bare digits are anybody's around the Gulf, so no country is named.
    if !owners.isEmpty, digits[0] != 0x30 { return rejected(.needsRegion(candidates: [])) }
    if owners.count == 1 { return rejected(.otherCountry(owners[0])) }
    if !owners.isEmpty { return rejected(.needsRegion(candidates: owners)) }
    guard let reading else { return rejected(.invalid) }
    return judge(reading) ?? rejected(shape(of: reading))
  }

  /// A mobile of our table in international digits, also with the trunk zero people leave behind the code (+966 05…).
  private func mobile(_ digits: [UInt8], near: Bool = false, fix: PhoneFix? = nil) -> PhoneReading? {
    guard digits[0] != 0x30 else { return nil }
    if let plan = MobilePlan.owning(Judgement.value(digits[...]), count: digits.count), plan.isNear || !near {
      return PhoneReader.accepted(Judgement.value(digits[...]), plan, fix)
    }
    for codeLength in 1...3 where digits.count > codeLength + 1 && digits[codeLength] == 0x30 {
      let (code, rest) = (Judgement.value(digits[..<codeLength]), digits[(codeLength + 1)...])
      for plan in MobilePlan.plans(callingCode: Int(code)) where plan.hasTrunkZero && (plan.isNear || !near) {
        if let reading = Judgement.accept(rest, plan, fix) { return reading }
      }
    }
    return nil
  }

  /// A mobile of the region in national digits, with or without its zero, with or without its country's code.
  private func mobile(_ digits: [UInt8], of region: PhoneRegion) -> PhoneReading? {
    let code = Array(String(region.callingCode).utf8)
    for plan in MobilePlan.plans(callingCode: region.callingCode) where plan.region == region.code {
      let behindCode: ArraySlice<UInt8> = digits.starts(with: code) ? digits.dropFirst(code.count) : []
      for start in [digits[...], behindCode] {
        if let reading = Judgement.accept(start, plan, nil) { return reading }
        if plan.hasTrunkZero, start.first == 0x30, let reading = Judgement.accept(start.dropFirst(), plan, nil) {
          return reading
        }
      }
    }
    return nil
  }

  private static func accept(_ national: ArraySlice<UInt8>, _ plan: MobilePlan, _ fix: PhoneFix?) -> PhoneReading? {
    let value = value(national)
    guard plan.contains(value, length: national.count) else { return nil }
    return PhoneReader.accepted(Int64(plan.callingCode) * MobilePlan.powers[plan.length] + value, plan, fix)
  }

  /// What the library's answer means for us; nil when the number is not even possible.
  private func judge(_ reading: LibraryReading) -> PhoneReading? {
    if let old = oldFormat(reading) { return old }
    guard let phone = reading.phone else { return nil }
    let country = reading.region
    let allowed =
      switch reading.kind {
      case .mobile: true
      case .landline: options.acceptsLandlines
      case .service: options.acceptsServiceNumbers
      case .unknown: false
      }
    if allowed {
      return PhoneReading(verdict: .accepted(phone, country: country, fixed: nil), kind: reading.kind, country: country)
    }
    switch reading.kind {
    case .landline: return rejected(.landline, .landline, country)
    case .service: return rejected(.service, .service, country)
    case .mobile, .unknown: break
    }
    guard reading.length == cpn_possible else { return nil }
    return PhoneReading(verdict: .suspect(phone, reason: .onlyPossible), kind: .unknown, country: country)
  }

  /// Egypt's mobiles had ten digits with their zero until October 2011, when an eleventh came in after the prefix. 015
  /// belongs to a landline area too, so that one stays a question.
  private func oldFormat(_ reading: LibraryReading) -> PhoneReading? {
    guard reading.callingCode == 20, reading.national >= 100_000_000, reading.national < 200_000_000 else { return nil }
    let (prefix, rest) = (Int(reading.national / 10_000_000), reading.national % 10_000_000)
    if prefix == 15 {
      return options.acceptsLandlines && reading.kind == .landline ? nil : rejected(.maybeOldFormat, .landline, "EG")
    }
    guard let today = Judgement.todaysPrefix[prefix],
      let phone = PhoneNumber(digits: 200_000_000_000 + Int64(today) * 10_000_000 + rest)
    else { return nil }
    guard options.fixesOldFormat else { return rejected(.oldFormat(today: phone), .mobile, "EG") }
    return PhoneReading(verdict: .accepted(phone, country: "EG", fixed: .oldFormat), kind: .mobile, country: "EG")
  }

  private static let todaysPrefix = [10: 100, 12: 122, 11: 111, 14: 114, 16: 106, 17: 127, 18: 128, 19: 109]

  /// The Arab countries where these digits, as they stand, are a whole national mobile.
  private static func owners(of digits: [UInt8]) -> [String] {
    var owners: [String] = []
    for plan in MobilePlan.all where plan.isNear && !owners.contains(plan.region) {
      let national = digits.first == 0x30 && plan.hasTrunkZero ? digits.dropFirst() : digits[...]
      if plan.contains(value(national), length: national.count) { owners.append(plan.region) }
    }
    return owners
  }

  private func shape(of reading: LibraryReading) -> PhoneRejection {
    switch reading.length {
    case cpn_length_short: .tooShort
    case cpn_length_long: .tooLong
    default: .invalid
    }
  }

  private func rejected(_ reason: PhoneRejection, _ kind: PhoneKind = .unknown, _ country: String = "") -> PhoneReading
  {
    PhoneReading(verdict: .rejected(reason), kind: kind, country: country)
  }

  private static func value(_ digits: ArraySlice<UInt8>) -> Int64 { digits.reduce(0) { $0 * 10 + Int64($1 - 0x30) } }
}
