import JSON

/// What a column of the file means.
enum Column: Equatable {
  case phone
  /// The country of a number without `+`; kept as an attribute too.
  case country(key: [UInt8])
  case consentSource
  case consentAt
  /// Meta's id of a person; what has another form is an attribute like others.
  case userID(key: [UInt8])
  /// `key`: `"name":` ready for the row's JSON.
  case attribute(key: [UInt8])
  /// A column without a name.
  case unnamed

  /// Columns, or names in one NDJSON object.
  static let limit = 200
  static let nameLimit = 100

  /// `ofOptOuts`: a time is when somebody said stop; when they consented is no matter of such a file.
  init(named name: String, phoneColumn: String?, ofOptOuts: Bool) {
    if ofOptOuts {
      if name == phoneColumn {
        self = .phone
      } else if Column.stopTimes.contains(Column.folded(name)) {
        self = .consentAt
      } else {
        switch Column.reserved[Column.folded(name)] {
        case "country": self = .country(key: Column.key("country"))
        case "user_id": self = .userID(key: Column.key("user_id"))
        default: self = .unnamed
        }
      }
    } else if let phoneColumn, name == phoneColumn {
      self = .phone
    } else if name.isEmpty {
      self = .unnamed
    } else {
      switch Column.reserved[Column.folded(name)] {
      case "country": self = .country(key: Column.key("country"))
      case "consent_source": self = .consentSource
      case "consent_at": self = .consentAt
      case "user_id": self = .userID(key: Column.key("user_id"))
      case let known?: self = .attribute(key: Column.key(known))
      case nil: self = .attribute(key: Column.key(name))
      }
    }
  }

  /// The column that holds the phones: the one asked for, else the first synonym that occurs. Nil when none does.
  static func phoneColumn(among names: [String], asked: String?) -> String? {
    if let asked {
      let folded = folded(asked)
      return names.first { $0 == asked } ?? names.first { Column.folded($0) == folded }
    }
    let byFolded = Dictionary(names.map { (folded($0), $0) }, uniquingKeysWith: { first, _ in first })
    for synonym in phoneSynonyms { if let name = byFolded[synonym] { return name } }
    return nil
  }

  /// Whether people without a phone may stand in a file of these columns.
  static func holdUserIDs(_ names: [String]) -> Bool { names.contains { reserved[folded($0)] == "user_id" } }

  private static func key(_ name: String) -> [UInt8] {
    var key = [UInt8(ascii: "\"")]
    JSONWriter.appendEscaped(name, to: &key)
    return key + Array("\":".utf8)
  }

  /// Letters and digits only, in lower case, with one form for letters that people write in several.
  private static func folded(_ name: String) -> String {
    var folded = ""
    for scalar in name.lowercased().unicodeScalars {
      switch scalar {
      case "أ", "إ", "آ": folded.unicodeScalars.append("ا")
      case "ة": folded.unicodeScalars.append("ه")
      case "ى": folded.unicodeScalars.append("ي")
      default:
        if scalar.properties.isAlphabetic || scalar.properties.numericType != nil {
          folded.unicodeScalars.append(scalar)
        }
      }
    }
    return folded
  }

  /// In order of preference: a file may have both a `phone` and a `mobile`.
  private static let phoneSynonyms: [String] = [
    "phone", "mobile", "msisdn", "رقم الهاتف", "الهاتف", "الجوال", "رقم الجوال", "الموبايل", "موبايل", "المحمول",
    "واتساب",
    "phone number", "mobile number", "whatsapp", "رقم الموبايل", "رقم المحمول", "رقم الواتساب", "الرقم", "هاتف", "جوال",
  ].map(folded)

  private static let stopTimes = Set(
    [
      "at", "stopped_at", "opted_out_at", "opt_out_at", "unsubscribed_at", "تاريخ الإيقاف", "تاريخ إلغاء الاشتراك",
    ].map(folded))

  private static let reserved: [String: String] = {
    var reserved: [String: String] = [:]
    for (name, synonyms) in [
      ("first_name", ["الاسم الأول"]), ("language", ["اللغة"]), ("country", ["البلد", "الدولة"]),
      ("zone", ["المنطقة الزمنية"]), ("user_id", ["bsuid", "whatsapp user id", "wa user id"]),
      ("consent_source", ["مصدر الموافقة"]), ("consent_at", ["تاريخ الموافقة"]), ("consent_text", ["نص الموافقة"]),
    ] {
      for synonym in [name] + synonyms { reserved[folded(synonym)] = name }
    }
    return reserved
  }()
}
