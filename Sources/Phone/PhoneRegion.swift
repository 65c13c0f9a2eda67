import CPhoneNumber

/// The country by whose customs a number without `+` is read.
public struct PhoneRegion: Hashable, Sendable {
  /// ISO 3166, two capital letters.
  public let code: String
  let callingCode: Int

  /// Reads a code (`EG`, `eg`) or, for the countries in our table, a name as people write it in a country column
  /// (`Egypt`, `مصر`, `KSA`). Nil when no such country has phone numbers.
  public init?(_ text: String) {
    let word = PhoneRegion.folded(text)
    if let named = PhoneRegion.names[word] {
      self = named
      return
    }
    let upper = word.uppercased()
    guard upper.utf8.count == 2, upper.utf8.allSatisfy({ $0 >= 0x41 && $0 <= 0x5A }) else { return nil }
    let callingCode = Int(cpn_country_code(upper))
    guard callingCode > 0 else { return nil }
    (self.code, self.callingCode) = (upper, callingCode)
  }

  private init(known code: String, _ callingCode: Int) { (self.code, self.callingCode) = (code, callingCode) }

  /// How a sentence calls the country: English, Arabic.
  static func name(of code: String) -> (english: String, arabic: String) {
    countries.first { $0.code == code }.map { ($0.english, $0.arabic) } ?? (code, code)
  }

  private static func folded(_ text: String) -> String {
    var folded = ""
    for scalar in text.lowercased().unicodeScalars where scalar.properties.isAlphabetic {
      switch scalar {
      case "أ", "إ", "آ": folded.unicodeScalars.append("ا")
      case "ة": folded.unicodeScalars.append("ه")
      case "ى": folded.unicodeScalars.append("ي")
      default: folded.unicodeScalars.append(scalar)
      }
    }
    return folded
  }

  private static let names: [String: PhoneRegion] = {
    var names: [String: PhoneRegion] = [:]
    for country in countries {
      let region = PhoneRegion(known: country.code, country.callingCode)
      for name in [country.code, country.english, country.arabic] + country.others { names[folded(name)] = region }
    }
    return names
  }()

  private typealias Country = (code: String, callingCode: Int, english: String, arabic: String, others: [String])

  private static let countries: [Country] = [
    ("EG", 20, "Egypt", "مصر", ["EGY", "جمهورية مصر العربية"]),
    ("SA", 966, "Saudi Arabia", "السعودية", ["KSA", "SAU", "Saudi", "المملكة العربية السعودية"]),
    (
      "AE", 971, "the Emirates", "الإمارات",
      ["UAE", "ARE", "Emirates", "United Arab Emirates", "الإمارات العربية المتحدة"]
    ),
    ("KW", 965, "Kuwait", "الكويت", ["KWT"]),
    ("QA", 974, "Qatar", "قطر", ["QAT"]),
    ("BH", 973, "Bahrain", "البحرين", ["BHR"]),
    ("OM", 968, "Oman", "عُمان", ["OMN", "عمان", "سلطنة عمان"]),
    ("JO", 962, "Jordan", "الأردن", ["JOR"]),
    ("LB", 961, "Lebanon", "لبنان", ["LBN"]),
    ("MA", 212, "Morocco", "المغرب", ["MAR"]),
    ("TN", 216, "Tunisia", "تونس", ["TUN"]),
    ("DZ", 213, "Algeria", "الجزائر", ["DZA"]),
    ("IQ", 964, "Iraq", "العراق", ["IRQ"]),
    ("YE", 967, "Yemen", "اليمن", ["YEM"]),
    ("LY", 218, "Libya", "ليبيا", ["LBY"]),
    ("SD", 249, "Sudan", "السودان", ["SDN"]),
    ("PS", 970, "Palestine", "فلسطين", ["PSE"]),
    ("SY", 963, "Syria", "سوريا", ["SYR", "سورية"]),
    ("MR", 222, "Mauritania", "موريتانيا", ["MRT"]),
    ("SO", 252, "Somalia", "الصومال", ["SOM"]),
    ("DJ", 253, "Djibouti", "جيبوتي", ["DJI"]),
    ("KM", 269, "the Comoros", "جزر القمر", ["COM", "Comoros"]),
    ("TR", 90, "Turkey", "تركيا", ["TUR", "Türkiye"]),
    ("IR", 98, "Iran", "إيران", ["IRN"]),
    ("PK", 92, "Pakistan", "باكستان", ["PAK"]),
    ("IN", 91, "India", "الهند", ["IND"]),
    ("BD", 880, "Bangladesh", "بنغلاديش", ["BGD"]),
    ("FR", 33, "France", "فرنسا", ["FRA"]),
    ("ET", 251, "Ethiopia", "إثيوبيا", ["ETH"]),
    ("DE", 49, "Germany", "ألمانيا", ["DEU"]),
    ("GB", 44, "Britain", "بريطانيا", ["GBR", "UK", "United Kingdom"]),
    ("US", 1, "the United States", "الولايات المتحدة", ["USA", "United States"]),
    ("CA", 1, "Canada", "كندا", ["CAN"]),
  ]
}
