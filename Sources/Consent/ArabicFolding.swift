/// Makes spellings alike that people do not tell apart: `إلغـــاء`, `الغاء` and `الغا`; `رسائل` and `رسايل`; `٢٠` and
/// `20`; `Désabonner` and `desabonner`.
///
/// Only for comparing; nothing folded is ever shown or sent.
public enum ArabicFolding {
  /// Hamza and its seats, alef maqsura, ta marbuta, vowel signs, tatweel, Persian and Urdu letters, presentation forms,
  /// digits of all scripts, case, Latin accents and widths are folded; invisible characters go; white space becomes
  /// single spaces, none at the ends. Punctuation and signs stay.
  ///
  /// Folding twice changes nothing. Costs one pass.
  public static func folded(_ text: String) -> String {
    var folded = String.UnicodeScalarView()
    var pendingSpace = false
    for scalar in text.unicodeScalars {
      if scalar.properties.isWhitespace {
        pendingSpace = !folded.isEmpty
        continue
      }
      let before = folded.count
      // A space is owed only when something visible follows, so that a trailing vowel sign does not leave one.
      if pendingSpace { folded.append(" ") }
      let start = folded.count
      append(scalar, to: &folded)
      if folded.count > start {
        pendingSpace = false
      } else if folded.count > before {
        folded.removeLast()
      }
    }
    return String(folded)
  }

  private static func append(_ scalar: Unicode.Scalar, to folded: inout String.UnicodeScalarView) {
    if scalar.isASCII {
      folded.append((0x41...0x5A).contains(scalar.value) ? Unicode.Scalar(UInt8(scalar.value + 0x20)) : scalar)
      return
    }
    switch scalar.value {
    case 0x0622, 0x0623, 0x0625, 0x0671...0x0673, 0x0675: folded.append("ا")
    case 0x0649, 0x0626, 0x06CC, 0x06CD, 0x06D0...0x06D3, 0x0678: folded.append("ي")
    case 0x0624, 0x0676: folded.append("و")
    case 0x0629, 0x06BE, 0x06C0...0x06C3, 0x06D5: folded.append("ه")
    case 0x06A9, 0x06AA: folded.append("ك")
    // A lone hamza is the letter most often left out; tatweel only stretches.
    case 0x0621, 0x0674, 0x0640: break
    case 0xFEF5...0xFEFC:
      folded.append("ل")
      folded.append("ا")
    case 0xFE80...0xFEF4:
      append(presentationForms[Int(scalar.value) - 0xFE80], to: &folded)
    case 0xFB8E...0xFB91: folded.append("ك")
    case 0xFBFC...0xFBFF: folded.append("ي")
    case 0xFBA6...0xFBAD: folded.append("ه")
    // Full-width forms of ASCII.
    case 0xFF01...0xFF5E:
      append(Unicode.Scalar(UInt8(scalar.value - 0xFEE0)), to: &folded)
    default:
      switch scalar.properties.generalCategory {
      case .nonspacingMark, .enclosingMark, .spacingMark, .format, .control, .surrogate, .privateUse: break
      case .decimalNumber:
        let digit = UInt8(scalar.properties.numericValue ?? 0)
        folded.append(Unicode.Scalar(0x30 + digit))
      default:
        if let plain = accents[scalar] {
          folded.append(contentsOf: plain.unicodeScalars)
        } else {
          appendLowered(scalar, to: &folded)
        }
      }
    }
  }

  private static func appendLowered(_ scalar: Unicode.Scalar, to folded: inout String.UnicodeScalarView) {
    let lower = scalar.properties.lowercaseMapping.unicodeScalars
    guard let first = lower.first, first != scalar else {
      folded.append(scalar)
      return
    }
    for part in lower { append(part, to: &folded) }
  }

  /// The letters of U+FE80 to U+FEF4, which shape what a font shapes today: each with its one, two or four forms.
  private static let presentationForms: [Unicode.Scalar] = {
    let forms: [(Unicode.Scalar, Int)] = [
      ("ء", 1), ("آ", 2), ("أ", 2), ("ؤ", 2), ("إ", 2), ("ئ", 4), ("ا", 2), ("ب", 4), ("ة", 2), ("ت", 4), ("ث", 4),
      ("ج", 4),
      ("ح", 4), ("خ", 4), ("د", 2), ("ذ", 2), ("ر", 2), ("ز", 2), ("س", 4), ("ش", 4), ("ص", 4), ("ض", 4), ("ط", 4),
      ("ظ", 4),
      ("ع", 4), ("غ", 4), ("ف", 4), ("ق", 4), ("ك", 4), ("ل", 4), ("م", 4), ("ن", 4), ("ه", 4), ("و", 2), ("ى", 2),
      ("ي", 4),
    ]
    return forms.flatMap { Array(repeating: $0.0, count: $0.1) }
  }()

  /// Latin letters with accents, for French and Turkish, and those that Arabic is transcribed with.
  private static let accents: [Unicode.Scalar: String] = {
    let groups: [(String, String)] = [
      ("àáâãäåāăą", "a"), ("çćĉċč", "c"), ("ďđð", "d"), ("èéêëēĕėęě", "e"), ("ĝğġģ", "g"), ("ĥħḥ", "h"),
      ("ìíîïĩīĭįı", "i"),
      ("ĵ", "j"), ("ķ", "k"), ("ĺļľŀł", "l"), ("ñńņňŉ", "n"), ("òóôõöøōŏő", "o"), ("ŕŗř", "r"), ("śŝşšșṣ", "s"),
      ("ţťŧțṭ", "t"),
      ("ùúûüũūŭůűų", "u"), ("ŵ", "w"), ("ýÿŷ", "y"), ("źżžẓ", "z"), ("ḍ", "d"), ("æ", "ae"), ("œ", "oe"), ("ß", "ss"),
    ]
    var accents: [Unicode.Scalar: String] = [:]
    for (letters, plain) in groups {
      for scalar in letters.unicodeScalars { accents[scalar] = plain }
    }
    return accents
  }()
}
