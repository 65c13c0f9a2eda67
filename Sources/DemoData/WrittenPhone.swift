import Governor

/// A mobile as it is, and as people write it.
struct WrittenPhone {
  let country: DemoCountry
  /// Without the trunk zero.
  let national: String

  var e164: String { "+" + country.callingCode + national }

  func text(_ form: PhoneForm) -> String {
    let (code, local) = (country.callingCode, country.trunk + national)
    switch form {
    case .e164: return e164
    case .bare: return code + national
    case .zeros: return "00" + code + national
    case .spaced: return "+\(code) \(Self.grouped(national, " "))"
    case .dashed: return "+\(code)-\(Self.grouped(national, "-"))"
    case .trunk: return country.hasTrunkZero ? "+\(code) (0)\(Self.grouped(national, " "))" : text(.spaced)
    case .link: return "https://wa.me/" + code + national
    case .local: return local
    case .eatenZero: return national
    case .localSpaced: return Self.grouped(local, " ")
    case .arabicDigits: return Self.digits(of: local, from: 0x660)
    case .persianDigits: return Self.digits(of: local, from: 0x6F0)
    case .wideDigits: return Self.digits(of: local, from: 0xFF10)
    case .bidiMarks: return "\u{202A}+\(code) \(Self.grouped(national, " "))\u{202C}"
    case .unbreakable: return Self.grouped(local, Int(national.utf8.last ?? 0) % 2 == 0 ? "\u{A0}" : "\u{2011}")
    case .quoted: return "'" + local
    case .formula: return "=\"\(local)\""
    }
  }

  /// In groups of three and, at the end, four.
  private static func grouped(_ digits: String, _ divider: String) -> String {
    var rest = digits[...]
    var groups: [Substring] = []
    while rest.utf8.count > 4 {
      groups.append(rest.prefix(3))
      rest = rest.dropFirst(3)
    }
    return (groups + [rest]).joined(separator: divider)
  }

  private static func digits(of text: String, from zero: UInt32) -> String {
    var written = ""
    for byte in text.utf8 { written.unicodeScalars.append(Unicode.Scalar(zero + UInt32(byte - 0x30)) ?? "0") }
    return written
  }
}

/// Phones that no import should take, each as its kind is met in real files.
enum UselessPhone {
  /// The cell, and the country that stands beside it; nil: the cell of the country is empty.
  static func text(_ kind: RowKind, of country: DemoCountry, _ chance: inout SplitMix64) -> (
    phone: String, country: DemoCountry?
  ) {
    func mobile(_ country: DemoCountry) -> String { country.trunk + country.mobile(&chance) }
    switch kind {
    case .landline:
      // One in four: a Saudi or Emirati mobile under Egypt, where the same digits are a landline of Mansoura.
      if chance.place(4) == 0 { return ("050" + chance.digits(7), .egypt) }
      return (chance.filling(country.landlines[chance.place(country.landlines.count)]), country)
    case .service:
      let of = country.code == "EG" || country.code == "AE" ? DemoCountry.saudiArabia : country
      return (chance.filling(of.services[chance.place(of.services.count)]), of)
    case .wrong:
      switch chance.place(4) {
      case 0: return (String(mobile(country).prefix(4)), country)
      case 1: return (mobile(country) + chance.digits(4), country)
      case 2: return ("+999" + chance.digits(8), country)
      // An Egyptian mobile in a row that says Saudi Arabia.
      default: return (mobile(.egypt), .saudiArabia)
      }
    case .letters:
      let remarks = [
        "لا يوجد", "N/A", "call after 5", "\(mobile(country)) (ماما)", mobile(country).replacing("0", with: "O") + "O",
      ]
      return (remarks[chance.place(remarks.count)], country)
    case .twoNumbers:
      let divider = [" / ", "-", "، ", " "][chance.place(4)]
      return (mobile(.egypt) + divider + mobile(.egypt), .egypt)
    case .spreadsheet:
      let number = country.callingCode + country.mobile(&chance)
      let power = number.utf8.count - 1
      let scientific = "\(number.prefix(1)).\(number.dropFirst().prefix(5))E+\(power)"
      return ([scientific, number + ".0"][chance.place(2)], country)
    case .oldFormat:
      return ("0" + ["10", "11", "12", "14", "16", "17", "18", "19"][chance.place(8)] + chance.digits(7), .egypt)
    case .noCountry: return (["50", "66", "97"][chance.place(3)] + chance.digits(6), nil)
    case .possible: return ("+2013" + chance.digits(8), .egypt)
    case .noPhone: return (["", " ", "-"][chance.place(3)], country)
    case .person, .again, .blank: preconditionFailure("\(kind) is no useless phone")
    }
  }
}

extension SplitMix64 {
  mutating func place(_ count: Int) -> Int { Int(below(Int64(count))) }

  /// True in `share` of 10,000 draws.
  mutating func hits(_ share: Int) -> Bool { place(DemoShares.whole) < share }

  mutating func digits(_ count: Int) -> String { filling(String(repeating: "#", count: count)) }

  mutating func filling(_ pattern: String) -> String {
    var text = ""
    for character in pattern { text += character == "#" ? String(place(10)) : String(character) }
    return text
  }

  /// One of the choices, by shares that add up to 10,000.
  mutating func draw<Choice>(_ choices: [(Choice, Int)]) -> Choice {
    var at = place(DemoShares.whole)
    for (choice, share) in choices {
      if at < share { return choice }
      at -= share
    }
    preconditionFailure("shares add up to \(DemoShares.whole)")
  }
}
