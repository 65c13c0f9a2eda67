/// What one row of the file is.
public enum RowKind: String, CaseIterable, Sendable {
  /// Somebody who can be written to, once.
  case person
  /// Somebody who is in the file already, written another way.
  case again
  case landline
  case service
  /// Digits that are nobody's number.
  case wrong
  /// Letters among the digits, or a remark.
  case letters
  case twoNumbers = "two_numbers"
  /// What a spreadsheet leaves of a long number.
  case spreadsheet
  /// An Egyptian mobile from before October 2011.
  case oldFormat = "old_format"
  /// Eight digits of the Gulf without a country.
  case noCountry = "no_country"
  /// Only its length is right.
  case possible
  case noPhone = "no_phone"
  /// Nothing in any cell.
  case blank

  /// Whether an import stores somebody for it: `possible` is stored and held back.
  public var isStored: Bool { self == .person || self == .possible }
}

/// How a phone is written.
public enum PhoneForm: String, CaseIterable, Sendable {
  /// +201001234567
  case e164
  /// 201001234567
  case bare
  /// 00201001234567
  case zeros
  /// +20 100 123 4567
  case spaced
  /// +20-100-123-4567
  case dashed
  /// +20 (0)100 123 4567: the trunk zero left behind the country's code. As `spaced` where there is none.
  case trunk
  /// https://wa.me/201001234567
  case link
  /// 01001234567
  case local
  /// 1001234567: a spreadsheet took it for a number.
  case eatenZero = "eaten_zero"
  /// 0100 123 4567
  case localSpaced = "local_spaced"
  /// ٠١٠٠١٢٣٤٥٦٧
  case arabicDigits = "arabic_digits"
  /// ۰۱۰۰۱۲۳۴۵۶۷
  case persianDigits = "persian_digits"
  /// ０１００１２３４５６７
  case wideDigits = "wide_digits"
  /// U+202A … U+202C, as a phone's contact card gives it.
  case bidiMarks = "bidi_marks"
  /// Non-breaking spaces and hyphens.
  case unbreakable
  /// '01001234567
  case quoted
  /// ="01001234567"
  case formula

  /// Read right only with the country beside it, or with the import's default region.
  var needsCountry: Bool {
    switch self {
    case .e164, .bare, .zeros, .spaced, .dashed, .trunk, .link, .bidiMarks: false
    case .local, .eatenZero, .localSpaced, .arabicDigits, .persianDigits, .wideDigits, .unbreakable, .quoted, .formula:
      true
    }
  }
}

/// How much of the file is what, in parts of 10,000: every fraction of the demo data stands here.
enum DemoShares {
  static let whole = 10_000

  /// Kept exactly. What is left over by rounding are persons.
  static let kinds: [(kind: RowKind, share: Int)] = [
    (.person, 9160), (.again, 420), (.landline, 120), (.service, 30), (.wrong, 90), (.letters, 20), (.twoNumbers, 20),
    (.spreadsheet, 20), (.oldFormat, 30), (.noCountry, 20), (.possible, 20), (.noPhone, 40), (.blank, 10),
  ]
  /// Of people, and of the forms their phones come in: drawn for each.
  static let countries: [(country: DemoCountry, share: Int)] = [
    (.egypt, 4000), (.saudiArabia, 2200), (.emirates, 1200), (.morocco, 1000), (.kuwait, 800), (.jordan, 800),
  ]
  static let forms: [(form: PhoneForm, share: Int)] = [
    (.e164, 4200), (.local, 2000), (.bare, 900), (.zeros, 500), (.eatenZero, 500), (.spaced, 500), (.arabicDigits, 400),
    (.localSpaced, 250), (.bidiMarks, 200), (.dashed, 150), (.trunk, 150), (.quoted, 70), (.formula, 50), (.link, 50),
    (.unbreakable, 40), (.persianDigits, 30), (.wideDigits, 10),
  ]

  // Of people.
  static let arabicNames = 6000
  static let noName = 400
  /// A line break inside the name's cell: no template takes it.
  static let brokenName = 30
  /// Tatweel, a flower, blanks or bidi marks at an edge, quotation marks.
  static let ornateName = 300
  static let noCity = 300
  static let noConsent = 600
  static let noDiscount = 150
  /// Of Egyptians, the file's default; of the others, those whose phone says the country itself.
  static let noCountryCell = (egyptians: 2000, others: 200)
  /// Asked to be left alone before this file was made: of the people in it, and strangers beside them.
  static let optedOut = 350
  static let optedOutStrangers = 50
}
