import Domain

/// What became of one written number.
public enum PhoneVerdict: Equatable, Sendable {
  /// May be written to. `country`: ISO 3166, empty for numbers that belong to none.
  case accepted(PhoneNumber, country: String, fixed: PhoneFix?)
  /// Only its length is right. Held back unless the sender accepts what is only possible.
  case suspect(PhoneNumber, reason: PhoneSuspicion)
  case rejected(PhoneRejection)
}

public enum PhoneSuspicion: String, Sendable, CaseIterable {
  /// No network is known to have handed out such a number.
  case onlyPossible = "only_possible"
}

/// What was repaired; an import counts each.
public enum PhoneFix: String, Sendable, CaseIterable {
  /// The digits began with a country's code and the `+` was missing.
  case plusAdded = "plus_added"
  /// An Egyptian mobile from before October 2011 got its new prefix.
  case oldFormat = "old_format"
}

/// What a number is good for.
public enum PhoneKind: String, Sendable, CaseIterable {
  /// Also where a country's numbers don't tell (North America).
  case mobile
  case landline
  /// Toll-free, premium, shared-cost, company-wide numbers, voice over IP.
  case service
  case unknown
}

/// What is let through beside mobiles. All off unless the sender switches it on.
public struct PhoneOptions: Equatable, Sendable {
  public var acceptsLandlines = false
  public var acceptsServiceNumbers = false
  /// Writes Egyptian mobiles from before October 2011 in their new form.
  public var fixesOldFormat = false
  public init() {}
}

/// Everything known of one written number; `PhoneVerdict` is its short form.
public struct PhoneReading: Equatable, Sendable {
  public let verdict: PhoneVerdict
  public let kind: PhoneKind
  /// ISO 3166; empty when unknown.
  public let country: String
}

/// Why a number was refused: a word for programs, and a sentence that says what to do.
public enum PhoneRejection: Equatable, Sendable {
  case empty
  case letters
  case twoNumbers
  /// Scientific notation or a decimal point: digits are lost.
  case spreadsheet
  /// An Egyptian mobile of ten digits (before October 2011), with its number of today.
  case oldFormat(today: PhoneNumber)
  /// A landline of 10th of Ramadan, or an Egyptian mobile of ten digits that began with 015.
  case maybeOldFormat
  case landline
  case service
  /// No `+` and no country, or digits that several countries use.
  case needsRegion(candidates: [String])
  /// Not a number of the country it was read for, but a mobile of this one.
  case otherCountry(String)
  case tooShort
  case tooLong
  case invalid

  /// Stable; product §3 uses the same.
  public var word: String {
    switch self {
    case .empty: "empty"
    case .letters: "letters"
    case .twoNumbers: "two_numbers"
    case .spreadsheet: "spreadsheet"
    case .oldFormat: "old_format"
    case .maybeOldFormat: "old_format?"
    case .landline: "landline"
    case .service: "service"
    case .needsRegion: "needs_region"
    case .otherCountry: "other_country"
    case .tooShort: "too_short"
    case .tooLong: "too_long"
    case .invalid: "invalid"
    }
  }

  /// What to do, without a digit of the number itself.
  public var remedy: (english: String, arabic: String) {
    switch self {
    case .empty:
      ("The cell is empty: fill in a phone number or delete the row.", "الخلية فارغة: اكتب رقم الهاتف أو احذف السطر.")
    case .letters:
      (
        "Letters or signs stand beside the digits: leave only the number, and look for the letter O instead of zero.",
        "توجد حروف أو رموز مع الأرقام: اترك الرقم وحده، وتأكد من عدم كتابة حرف O مكان الصفر."
      )
    case .twoNumbers:
      (
        "There are two numbers in one cell: put each in a row of its own.",
        "يوجد رقمان في خلية واحدة: ضع كل رقم في سطر مستقل."
      )
    case .spreadsheet:
      (
        "A spreadsheet destroyed the number: format the column as text and export the file again.",
        "أفسد برنامج الجداول الرقم: اجعل تنسيق العمود نصًا ثم صدّر الملف من جديد."
      )
    case .oldFormat:
      (
        "An Egyptian mobile from before October 2011: write it with today's prefix (010 is 0100, 012 is 0122, "
          + "011 is 0111, 014 is 0114, 016 is 0106, 017 is 0127, 018 is 0128, 019 is 0109), or let the import do so.",
        "رقم محمول مصري بصيغة ما قبل أكتوبر 2011: اكتبه ببادئته الحالية (010 صارت 0100، 012 صارت 0122، 011 صارت 0111، "
          + "014 صارت 0114، 016 صارت 0106، 017 صارت 0127، 018 صارت 0128، 019 صارت 0109)، أو اطلب التحويل عند الاستيراد."
      )
    case .maybeOldFormat:
      (
        "Either a landline of 10th of Ramadan or an Egyptian mobile from before October 2011: ask for today's number.",
        "إما رقم أرضي في العاشر من رمضان أو محمول مصري بصيغة ما قبل أكتوبر 2011: اطلب الرقم الحالي."
      )
    case .landline:
      (
        "A landline. If it is a mobile of another country, write it with + and that country's code; if landlines are "
          + "wanted, switch them on for this import.",
        "رقم أرضي. إن كان محمولًا من بلد آخر فاكتبه بعلامة + ورمز البلد؛ "
          + "وإن أردت الأرقام الأرضية ففعّلها لهذا الاستيراد."
      )
    case .service:
      (
        "A company or service number, which people do not read WhatsApp on; switch such numbers on if they are wanted.",
        "رقم شركة أو خدمة لا يستقبل رسائل الأفراد؛ فعّل هذه الأرقام إن أردتها."
      )
    case .needsRegion(let candidates) where candidates.isEmpty:
      (
        "It is not clear which country this is: write it with + and the country's code, add a country column, or "
          + "give a default region.",
        "البلد غير معروف: اكتب الرقم بعلامة + ورمز البلد، أو أضف عمودًا للبلد، أو حدّد البلد الافتراضي."
      )
    case .needsRegion(let candidates):
      (
        "This could be a mobile of "
          + PhoneRejection.list(candidates.map { PhoneRegion.name(of: $0).english }, " or ")
          + ": write it with + and the country's code, or add a country column.",
        "قد يكون محمولًا من \(PhoneRejection.list(candidates.map { PhoneRegion.name(of: $0).arabic }, " أو ")): "
          + "اكتبه بعلامة + ورمز البلد، أو أضف عمودًا للبلد."
      )
    case .otherCountry(let code):
      (
        "A mobile of \(PhoneRegion.name(of: code).english)? Write it with + and the country's code, or add a country "
          + "column.",
        "أهو محمول من \(PhoneRegion.name(of: code).arabic)؟ اكتبه بعلامة + ورمز البلد، أو أضف عمودًا للبلد."
      )
    case .tooShort:
      (
        "Digits are missing: write the whole number with + and the country's code.",
        "الرقم ناقص: اكتبه كاملًا بعلامة + ورمز البلد."
      )
    case .tooLong:
      ("There are too many digits for one number: check the cell.", "الأرقام أكثر من رقم هاتف واحد: راجع الخلية.")
    case .invalid:
      (
        "No such number exists: check the digits, and write it with + and the country's code.",
        "لا يوجد رقم كهذا: راجع الأرقام واكتبه بعلامة + ورمز البلد."
      )
    }
  }

  private static func list(_ words: [String], _ last: String) -> String {
    words.count < 2 ? words.joined() : words.dropLast().joined(separator: ", ") + last + words[words.count - 1]
  }
}
