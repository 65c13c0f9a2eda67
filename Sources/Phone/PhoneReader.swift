import CPhoneNumber
import Domain

/// Reads phone numbers as people write them. What it accepts is a valid mobile, by our own table of the Arab countries
/// or by libphonenumber; what only has a possible length is suspect; the rest is refused with a reason and a remedy.
///
/// A number that is E.164 already, or national for a region of the table, costs well under a microsecond; one the
/// library must judge 20 to 70, so lists are read off the loops that answer people. Callable from any thread.
public enum PhoneReader {
  /// `region` is the country of numbers without `+`: a code or a name, see `PhoneRegion`. Nil or unknown: such numbers
  /// are refused, unless they spell an Arab mobile with its country's code.
  public static func read(_ text: String, region: String?) -> PhoneVerdict {
    read(text, region: region.flatMap { PhoneRegion($0) }).verdict
  }

  public static func read(_ text: String, region: PhoneRegion?, options: PhoneOptions = PhoneOptions()) -> PhoneReading
  {
    var text = text
    return text.withUTF8 { read(utf8: $0, region: region, options: options) }
  }

  /// The same from lent bytes, for lists. Bytes that are not UTF-8 read as signs, so the number is refused.
  public static func read(
    utf8: UnsafeBufferPointer<UInt8>, region: PhoneRegion?, options: PhoneOptions = PhoneOptions()
  ) -> PhoneReading {
    if let reading = readPlain(utf8, region) { return reading }
    let written: WrittenNumber
    do throws(WrittenNumber.Refusal) {
      written = try WrittenNumber(String(decoding: utf8, as: UTF8.self))
    } catch {
      return PhoneReading(verdict: .rejected(error.reason), kind: .unknown, country: "")
    }
    return Judgement(region: region, options: options).read(written)
  }

  /// libphonenumber's answer alone, for a benchmark: a number of the region, or with `+`, that it takes for valid.
  public static func isValidToLibrary(_ utf8: UnsafeBufferPointer<UInt8>, region: String) -> Bool {
    LibraryReading(national: Array(utf8), region: region).map { $0.kind != .unknown } ?? false
  }

  /// ISO 3166 of the country that owns the number; nil when none does or it is not known.
  public static func country(of phone: PhoneNumber) -> String? {
    let text = Array(String(phone.digits).utf8)
    if let plan = MobilePlan.owning(phone.digits, count: text.count) { return plan.region }
    guard let reading = LibraryReading(international: text), !reading.region.isEmpty else { return nil }
    return reading.region
  }

  /// `+` and digits, or digits alone for a region of the table: the form of nearly every row of a clean list.
  private static func readPlain(_ utf8: UnsafeBufferPointer<UInt8>, _ region: PhoneRegion?) -> PhoneReading? {
    var (start, end) = (0, utf8.count)
    while start < end, utf8[start] == 0x20 { start += 1 }
    while start < end, utf8[end - 1] == 0x20 { end -= 1 }
    guard start < end else { return nil }
    let isInternational = utf8[start] == UInt8(ascii: "+")
    if isInternational { start += 1 }
    let count = end - start
    guard (7...15).contains(count) else { return nil }
    var value: Int64 = 0
    for index in start..<end {
      let digit = utf8[index] &- 0x30
      guard digit < 10 else { return nil }
      value = value * 10 + Int64(digit)
    }
    if isInternational {
      guard utf8[start] != 0x30, let plan = MobilePlan.owning(value, count: count) else { return nil }
      return accepted(value, plan)
    }
    guard let region, !(utf8[start] == 0x30 && utf8[start + 1] == 0x30) else { return nil }
    let zeros = utf8[start] == 0x30 ? 1 : 0
    for plan in MobilePlan.plans(callingCode: region.callingCode) where plan.region == region.code {
      guard zeros == 0 || plan.hasTrunkZero, plan.contains(value, length: count - zeros) else { continue }
      return accepted(Int64(plan.callingCode) * MobilePlan.powers[plan.length] + value, plan)
    }
    return nil
  }

  static func accepted(_ digits: Int64, _ plan: MobilePlan, _ fix: PhoneFix? = nil) -> PhoneReading? {
    guard let phone = PhoneNumber(digits: digits) else { return nil }
    return PhoneReading(
      verdict: .accepted(phone, country: plan.region, fixed: fix), kind: .mobile, country: plan.region)
  }
}

/// libphonenumber's answer about one number.
struct LibraryReading {
  let phone: PhoneNumber?
  let national: Int64
  let callingCode: Int
  let length: cpn_length
  let kind: PhoneKind
  let region: String

  init?(international digits: [UInt8]) { self.init([UInt8(ascii: "+")] + digits, "ZZ") }
  init?(national digits: [UInt8], region: String) { self.init(digits, region) }

  private init?(_ text: [UInt8], _ region: String) {
    var raw = cpn_reading()
    let status = text.withUnsafeBytes {
      cpn_read($0.baseAddress?.assumingMemoryBound(to: CChar.self), $0.count, region, &raw)
    }
    guard status == cpn_parsed else { return nil }
    phone = raw.digits > 0 ? PhoneNumber(digits: raw.digits) : nil
    (national, callingCode, length) = (raw.national, Int(raw.country_code), raw.length)
    kind =
      switch raw.kind {
      case cpn_mobile: .mobile
      case cpn_landline: .landline
      case cpn_service: .service
      default: .unknown
      }
    self.region = withUnsafeBytes(of: raw.region) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}
