/// Calling codes: the country of a phone, its market on a day, its probable language. The double's own table.
enum Calling {
  /// ISO code of the longest matching calling code; `ZZ` when none matches.
  static func country(of phone: Int64) -> String {
    if phone >= 10_000_000_000, phone < 20_000_000_000 { return northAmerican(Int(phone / 10_000_000 % 1000)) }
    return longest(phone, in: countries) ?? "ZZ"
  }

  /// The market whose price holds on a day (days since 1970). Countries got markets of their own in July and October
  /// 2026.
  static func market(of phone: Int64, day: Int) -> String {
    let country = country(of: phone)
    if let entry = ownMarkets[country], entry.from <= day { return entry.market }
    return regions[country] ?? "Other"
  }

  /// Marketing templates are not delivered to numbers with an area code of the United States.
  static func isUnitedStates(_ phone: Int64) -> Bool { country(of: phone) == "US" }

  static func speaksArabic(_ phone: Int64) -> Bool { arabic.contains(country(of: phone)) }

  private static func longest(_ phone: Int64, in table: [Int64: String]) -> String? {
    var prefix = phone
    while prefix > 999 { prefix /= 10 }
    while prefix > 0 {
      if let found = table[prefix] { return found }
      prefix /= 10
    }
    return nil
  }

  private static func northAmerican(_ area: Int) -> String {
    if canada.contains(area) { return "CA" }
    return islands[area] ?? "US"
  }

  private static let canada: Set<Int> = [
    204, 226, 236, 249, 250, 257, 263, 289, 306, 343, 354, 365, 367, 368, 382, 387, 403, 416, 418, 428, 431, 437, 438,
    450,
    460, 468, 474, 506, 514, 519, 537, 548, 568, 579, 581, 584, 587, 604, 613, 639, 647, 672, 683, 705, 709, 742, 753,
    778,
    780, 782, 807, 819, 825, 867, 873, 879, 902, 905, 942,
  ]
  private static let islands: [Int: String] = [
    809: "DO", 829: "DO", 849: "DO", 658: "JM", 876: "JM", 787: "PR", 939: "PR", 242: "BS", 246: "BB", 264: "AI",
    268: "AG",
    284: "VG", 345: "KY", 441: "BM", 473: "GD", 649: "TC", 664: "MS", 721: "SX", 758: "LC", 767: "DM", 784: "VC",
    868: "TT",
    869: "KN",
  ]

  private static func pairs(_ text: String) -> [(Int64, String)] {
    text.split(whereSeparator: { $0 == " " || $0 == "\n" }).map { pair in
      (Int64(pair.dropLast(2))!, String(pair.suffix(2)))
    }
  }

  private static let countries = Dictionary(
    uniqueKeysWithValues: pairs(
      """
      7RU 76KZ 77KZ 20EG 27ZA 30GR 31NL 32BE 33FR 34ES 36HU 39IT 40RO 41CH 43AT 44GB 45DK 46SE 47NO 48PL 49DE 51PE 52MX 53CU
      54AR 55BR 56CL 57CO 58VE 60MY 61AU 62ID 63PH 64NZ 65SG 66TH 81JP 82KR 84VN 86CN 90TR 91IN 92PK 93AF 94LK 95MM 98IR
      211SS 212MA 213DZ 216TN 218LY 220GM 221SN 222MR 223ML 224GN 225CI 226BF 227NE 228TG 229BJ 230MU 231LR 232SL 233GH 234NG
      235TD 236CF 237CM 238CV 239ST 240GQ 241GA 242CG 243CD 244AO 245GW 248SC 249SD 250RW 251ET 252SO 253DJ 254KE 255TZ 256UG
      257BI 258MZ 260ZM 261MG 262RE 263ZW 264NA 265MW 266LS 267BW 268SZ 269KM 291ER 297AW 298FO 299GL 350GI 351PT 352LU 353IE
      354IS 355AL 356MT 357CY 358FI 359BG 370LT 371LV 372EE 373MD 374AM 375BY 376AD 377MC 380UA 381RS 382ME 383XK 385HR 386SI
      387BA 389MK 420CZ 421SK 423LI 501BZ 502GT 503SV 504HN 505NI 506CR 507PA 509HT 591BO 592GY 593EC 595PY 597SR 598UY 670TL
      673BN 675PG 679FJ 852HK 853MO 855KH 856LA 880BD 886TW 960MV 961LB 962JO 963SY 964IQ 965KW 966SA 967YE 968OM 970PS 971AE
      972IL 973BH 974QA 975BT 976MN 977NP 992TJ 993TM 994AZ 995GE 996KG 998UZ
      """))

  private static let ownMarkets: [String: (from: Int, market: String)] = {
    let always = [
      "AR": "Argentina", "BR": "Brazil", "CL": "Chile", "CO": "Colombia", "EG": "Egypt", "FR": "France",
      "DE": "Germany",
      "IN": "India", "ID": "Indonesia", "IL": "Israel", "IT": "Italy", "MY": "Malaysia", "MX": "Mexico",
      "NL": "Netherlands",
      "NG": "Nigeria", "PK": "Pakistan", "PE": "Peru", "RU": "Russia", "SA": "Saudi Arabia", "ZA": "South Africa",
      "ES": "Spain", "TR": "Turkey", "AE": "United Arab Emirates", "GB": "United Kingdom",
    ]
    let july = ["HK": "Hong Kong", "HU": "Hungary", "PL": "Poland", "QA": "Qatar", "RO": "Romania", "SG": "Singapore"]
    let october = [
      "BD": "Bangladesh", "IQ": "Iraq", "KW": "Kuwait", "MA": "Morocco", "NP": "Nepal", "OM": "Oman", "LK": "Sri Lanka",
      "UA": "Ukraine", "KZ": "Kazakhstan",
    ]
    var all: [String: (from: Int, market: String)] = [:]
    for (country, market) in always { all[country] = (Int.min, market) }
    for (country, market) in july { all[country] = (20_635, market) }
    for (country, market) in october { all[country] = (20_727, market) }
    return all
  }()

  private static let regions: [String: String] = {
    let lists = [
      "North America": "US CA",
      "Rest of Africa":
        "DZ AO BJ BW BF BI CM TD CG ER ET GA GM GH GW CI KE LS LR LY MG MW ML MR MA MZ NA NE RW SN SL SO SS SD SZ TZ TG TN UG ZM ZW",
      "Rest of Asia Pacific": "AF AU KH CN JP LA MN NZ PG PH TW TJ TH TM UZ VN BD NP LK HK SG",
      "Rest of Central & Eastern Europe": "AL AM AZ BY BG HR CZ GE LV LT MD MK RS SK SI GR UA HU PL RO",
      "Rest of Western Europe": "AT BE DK FI IE NO PT SE CH",
      "Rest of Latin America": "BO CR EC SV GT HT HN NI PA PY UY VE DO JM PR",
      "Rest of Middle East": "BH JO LB YE IQ KW OM QA",
      "Russia": "KZ",
    ]
    var all: [String: String] = [:]
    for (region, list) in lists { for country in list.split(separator: " ") { all[String(country)] = region } }
    return all
  }()

  private static let arabic: Set<String> = [
    "EG", "SA", "AE", "KW", "QA", "BH", "OM", "JO", "LB", "SY", "IQ", "PS", "YE", "MA", "DZ", "TN", "LY", "SD", "MR",
  ]
}
