import Domain

/// A market of Meta's rate cards: a country with its own price, or the rest of a region. Raw numbers are stored: never
/// renumber, only add.
public enum Market: Int16, Word {
  case other = 1
  case northAmerica = 2
  case restOfAfrica = 3
  case restOfAsiaPacific = 4
  case restOfCentralAndEasternEurope = 5
  case restOfLatinAmerica = 6
  case restOfMiddleEast = 7
  case restOfWesternEurope = 8
  case argentina = 20
  case bangladesh = 21
  case brazil = 22
  case chile = 23
  case colombia = 24
  case egypt = 25
  case france = 26
  case germany = 27
  case hongKong = 28
  case hungary = 29
  case india = 30
  case indonesia = 31
  case iraq = 32
  case israel = 33
  case italy = 34
  case kazakhstan = 35
  case kuwait = 36
  case malaysia = 37
  case mexico = 38
  case morocco = 39
  case nepal = 40
  case netherlands = 41
  case nigeria = 42
  case oman = 43
  case pakistan = 44
  case peru = 45
  case poland = 46
  case qatar = 47
  case romania = 48
  case russia = 49
  case saudiArabia = 50
  case singapore = 51
  case southAfrica = 52
  case spain = 53
  case sriLanka = 54
  case turkey = 55
  case ukraine = 56
  case unitedArabEmirates = 57
  case unitedKingdom = 58

  /// `saudi_arabia`, `rest_of_middle_east`: what APIs and files say.
  public var word: String {
    var word = ""
    for character in "\(self)" {
      if character.isUppercase { word += "_" }
      word += character.lowercased()
    }
    return word
  }

  /// Meta's own name of the market, as its cards print it.
  public var name: String { names.english }

  public var arabicName: String { names.arabic }

  /// Reads a market as rate cards, people and this system write it: `Saudi Arabia`, `saudi_arabia`, `السعودية`.
  public init?(name: some StringProtocol) {
    let wanted = Market.squeezed(name)
    guard
      let match = Market.allCases.first(where: {
        Market.squeezed($0.word) == wanted || Market.squeezed($0.name) == wanted || $0.arabicName == name
      })
    else { return nil }
    self = match
  }

  /// The ASCII letters alone, in lower case, with `&` read as "and".
  private static func squeezed(_ text: some StringProtocol) -> [UInt8] {
    text.utf8.flatMap { byte -> [UInt8] in
      switch byte {
      case UInt8(ascii: "&"): Array("and".utf8)
      case 0x41...0x5A: [byte + 0x20]
      case 0x61...0x7A: [byte]
      case 0x80...: [byte]
      default: []
      }
    }
  }

  private var names: (english: String, arabic: String) {
    switch self {
    case .other: ("Other", "بلدان أخرى")
    case .northAmerica: ("North America", "أمريكا الشمالية")
    case .restOfAfrica: ("Rest of Africa", "بقية أفريقيا")
    case .restOfAsiaPacific: ("Rest of Asia Pacific", "بقية آسيا والمحيط الهادئ")
    case .restOfCentralAndEasternEurope: ("Rest of Central & Eastern Europe", "بقية وسط أوروبا وشرقها")
    case .restOfLatinAmerica: ("Rest of Latin America", "بقية أمريكا اللاتينية")
    case .restOfMiddleEast: ("Rest of Middle East", "بقية الشرق الأوسط")
    case .restOfWesternEurope: ("Rest of Western Europe", "بقية أوروبا الغربية")
    case .argentina: ("Argentina", "الأرجنتين")
    case .bangladesh: ("Bangladesh", "بنغلاديش")
    case .brazil: ("Brazil", "البرازيل")
    case .chile: ("Chile", "تشيلي")
    case .colombia: ("Colombia", "كولومبيا")
    case .egypt: ("Egypt", "مصر")
    case .france: ("France", "فرنسا")
    case .germany: ("Germany", "ألمانيا")
    case .hongKong: ("Hong Kong", "هونغ كونغ")
    case .hungary: ("Hungary", "المجر")
    case .india: ("India", "الهند")
    case .indonesia: ("Indonesia", "إندونيسيا")
    case .iraq: ("Iraq", "العراق")
    case .israel: ("Israel", "إسرائيل")
    case .italy: ("Italy", "إيطاليا")
    case .kazakhstan: ("Kazakhstan", "كازاخستان")
    case .kuwait: ("Kuwait", "الكويت")
    case .malaysia: ("Malaysia", "ماليزيا")
    case .mexico: ("Mexico", "المكسيك")
    case .morocco: ("Morocco", "المغرب")
    case .nepal: ("Nepal", "نيبال")
    case .netherlands: ("Netherlands", "هولندا")
    case .nigeria: ("Nigeria", "نيجيريا")
    case .oman: ("Oman", "عُمان")
    case .pakistan: ("Pakistan", "باكستان")
    case .peru: ("Peru", "بيرو")
    case .poland: ("Poland", "بولندا")
    case .qatar: ("Qatar", "قطر")
    case .romania: ("Romania", "رومانيا")
    case .russia: ("Russia", "روسيا")
    case .saudiArabia: ("Saudi Arabia", "السعودية")
    case .singapore: ("Singapore", "سنغافورة")
    case .southAfrica: ("South Africa", "جنوب أفريقيا")
    case .spain: ("Spain", "إسبانيا")
    case .sriLanka: ("Sri Lanka", "سريلانكا")
    case .turkey: ("Turkey", "تركيا")
    case .ukraine: ("Ukraine", "أوكرانيا")
    case .unitedArabEmirates: ("United Arab Emirates", "الإمارات")
    case .unitedKingdom: ("United Kingdom", "المملكة المتحدة")
    }
  }
}
