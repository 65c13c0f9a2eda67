import Domain

/// The rate cards this system ships with, as data: 654 prices with the place each was read at.
///
/// Meta publishes its cards as downloads and changes them only on the first day of a quarter. These were collected from
/// public transcriptions of those cards (the numbers in the sources tell them apart), compared with one another, and
/// kept with their doubts: where a source says "rule", "carried" or "unconfirmed",
/// the figure follows from others and was not read from a card. USD is whole from January to October 2026, EUR is the
/// card of July 2026, of AED one price is known, and there is no SAR: an account billed in riyals loads its own card.
///
/// A card is a line `card <day> <currency> complete|partial`, its sources by letter, its columns with the letter most
/// of their prices have, and a line per market; `-` is no price, a letter after a price is its own source.
public enum SeedRates {
  /// Oldest first. Parsed once, at first use.
  public static let cards: [RateCard] = parse(table)

  public static let book = RateBook(cards)

  static func parse(_ table: String) -> [RateCard] {
    var cards: [RateCard] = []
    var draft: Draft?
    for line in table.split(separator: "\n") {
      let words = line.split(separator: " ")
      switch words[0] {
      case "card":
        if let card = draft?.card { cards.append(card) }
        draft = Draft(words)
      case "source":
        draft?.sources[words[1]] = words.dropFirst(2).joined(separator: " ")
      case "columns":
        draft?.columns = words.dropFirst().map(column)
      default:
        draft?.add(words)
      }
    }
    if let card = draft?.card { cards.append(card) }
    return cards
  }

  private static func column(_ word: Substring) -> (category: Category, source: Substring) {
    let parts = word.split(separator: "=")
    guard parts.count == 2, let category = Category(word: parts[0]) else { preconditionFailure("no column: \(word)") }
    return (category, parts[1])
  }

  /// A card while its lines are read. The table is part of the program, so a mistake in it is a bug.
  private struct Draft {
    let day: CivilDate
    let currency: Currency
    let isComplete: Bool
    var sources: [Substring: String] = [:]
    var columns: [(category: Category, source: Substring)] = []
    var rates: [Rate] = []

    init(_ words: [Substring]) {
      guard words.count == 4, let day = CivilDate(words[1]), let currency = Currency(String(words[2])) else {
        preconditionFailure("no card: \(words)")
      }
      (self.day, self.currency, isComplete) = (day, currency, words[3] == "complete")
    }

    mutating func add(_ words: [Substring]) {
      guard let market = Market(word: words[0]) else { preconditionFailure("no market: \(words[0])") }
      for (cell, column) in zip(words.dropFirst(), columns) where cell != "-" {
        let digits = cell.prefix { $0 == "." || $0.isNumber }
        let letter = digits.endIndex == cell.endIndex ? column.source : cell[digits.endIndex...]
        guard let amount = Amount("0" + digits), let source = sources[letter] else {
          preconditionFailure("no price: \(cell) in \(day)")
        }
        rates.append(
          Rate(
            effectiveFrom: day, market: market, category: column.category, currency: currency, amount: amount,
            source: source))
      }
    }

    var card: RateCard {
      RateCard(
        currency: currency, effectiveFrom: day, isComplete: isComplete, source: sources["a"] ?? "", rates: rates)
    }
  }

  private static let table = """
    card 2026-01-01 USD complete
    source a Meta USD card of 2026-01-01 as transcribed in public transcription 53635240303
    columns marketing=a utility=a authentication=a authentication_international=a
    argentina .0618 .0260 .0260
    brazil .0625 .0068 .0068
    chile .0889 .0200 .0200
    colombia .0125 .0008 .0008
    egypt .0644 .0036 .0036 .0650
    france .0859 .0300 .0300
    germany .1365 .0550 .0550
    india .0118 .0014 .0014 .0280
    indonesia .0411 .0250 .0250 .1360
    israel .0353 .0053 .0053
    italy .0691 .0300 .0300
    malaysia .0860 .0140 .0140 .0418
    mexico .0305 .0085 .0085
    netherlands .1597 .0500 .0500
    nigeria .0516 .0067 .0067 .0750
    pakistan .0473 .0054 .0054 .0750
    peru .0703 .0200 .0200
    russia .0802 .0400 .0400
    saudi_arabia .0455 .0107 .0107 .0598
    south_africa .0379 .0076 .0076 .0200
    spain .0615 .0200 .0200
    turkey .0109 .0053 .0053
    united_arab_emirates .0499 .0157 .0157 .0510
    united_kingdom .0529 .0220 .0220
    north_america .0250 .0034 .0034
    rest_of_africa .0225 .0040 .0040
    rest_of_asia_pacific .0732 .0113 .0113
    rest_of_central_and_eastern_europe .0860 .0212 .0212
    rest_of_latin_america .0740 .0113 .0113
    rest_of_middle_east .0341 .0091 .0091
    rest_of_western_europe .0592 .0171 .0171
    other .0604 .0077 .0077
    card 2026-04-01 USD complete
    source a Meta USD card of 2026-01-01 as transcribed in public transcription 53635240303 (unchanged)
    source b Jan-2026 card + Meta announced Apr-2026 changes
    columns marketing=a utility=a authentication=a authentication_international=a
    argentina .0618 .0260 .0260
    brazil .0625 .0068 .0068
    chile .0889 .0200 .0200
    colombia .0125 .0008 .0008
    egypt .0644 .0036 .0036 .0650
    france .0859 .0300 .0300
    germany .1365 .0550 .0550
    india .0118b .0014b .0014b .0304b
    indonesia .0411 .0250 .0250 .1360
    israel .0353 .0053 .0053
    italy .0691 .0300 .0300
    malaysia .0860 .0140 .0140 .0418
    mexico .0305 .0085 .0085
    netherlands .1597 .0500 .0500
    nigeria .0516 .0067 .0067 .0750
    pakistan .0473b .0100b .0100b .0750b
    peru .0703 .0200 .0200
    russia .0802 .0400 .0400
    saudi_arabia .0501b .0107b .0107b .0598b
    south_africa .0379 .0076 .0076 .0200
    spain .0615 .0200 .0200
    turkey .0109b .0009b .0009b
    united_arab_emirates .0499 .0157 .0157 .0510
    united_kingdom .0529 .0220 .0220
    north_america .0250 .0034 .0034
    rest_of_africa .0225 .0040 .0040
    rest_of_asia_pacific .0732 .0113 .0113
    rest_of_central_and_eastern_europe .0860 .0212 .0212
    rest_of_latin_america .0740 .0113 .0113
    rest_of_middle_east .0341 .0091 .0091
    rest_of_western_europe .0592 .0171 .0171
    other .0604 .0077 .0077
    card 2026-07-01 EUR complete
    source a Meta EUR card of 2026-07-01 as transcribed in public transcription 69014075277
    columns marketing=a utility=a authentication=a authentication_international=a
    argentina .0512 .0216 .0216
    brazil .0518 .0056 .0056
    chile .0736 .0166 .0166
    colombia .0104 .0008 .0008
    egypt .0533 .0030 .0030 .0538
    france .0712 .0248 .0248
    germany .1131 .0456 .0456
    hong_kong .0606 .0216 .0216
    hungary .0712 .0289 .0289
    india .0099 .0012 .0012 .0252
    indonesia .0341 .0208 .0208 .1129
    israel .0292 .0044 .0044
    italy .0658 .0248 .0248
    malaysia .0712 .0116 .0116 .0346
    mexico .0253 .0071 .0071
    netherlands .1323 .0414 .0414
    nigeria .0428 .0056 .0056 .0622
    pakistan .0392 .0083 .0083 .0622
    peru .0582 .0166 .0166
    poland .0303 .0101 .0101
    qatar .0282 .0099 .0099
    romania .0712 .0239 .0239
    russia .0664 .0331 .0331
    saudi_arabia .0414 .0088 .0088 .0495
    singapore .0606 .0133 .0133
    south_africa .0314 .0063 .0063 .0166
    spain .0585 .0166 .0166
    turkey .0090 .0007 .0007
    united_arab_emirates .0415 .0130 .0130 .0421
    united_kingdom .0526 .0182 .0182
    north_america .0207 .0028 .0028
    rest_of_africa .0186 .0033 .0033
    rest_of_asia_pacific .0606 .0094 .0094
    rest_of_central_and_eastern_europe .0712 .0175 .0175
    rest_of_latin_america .0612 .0094 .0094
    rest_of_middle_east .0282 .0075 .0075
    rest_of_western_europe .0490 .0142 .0142
    other .0500 .0064 .0064
    card 2026-07-01 USD complete
    source a Jan card + announced Apr/Jul changes; confirmed by EUR card ratio (transcription 69014075277) and \
    transcription 67478796404
    columns marketing=a utility=a authentication=a authentication_international=a
    argentina .0618 .0260 .0260
    brazil .0625 .0068 .0068
    chile .0889 .0200 .0200
    colombia .0125 .0008 .0008
    egypt .0644 .0036 .0036 .0650
    france .0859 .0300 .0300
    germany .1365 .0550 .0550
    india .0118 .0014 .0014 .0304
    indonesia .0411 .0250 .0250 .1360
    israel .0353 .0053 .0053
    italy .0795 .0300 .0300
    malaysia .0860 .0140 .0140 .0418
    mexico .0305 .0085 .0085
    netherlands .1597 .0500 .0500
    nigeria .0516 .0067 .0067 .0750
    pakistan .0473 .0100 .0100 .0750
    peru .0703 .0200 .0200
    russia .0802 .0400 .0400
    saudi_arabia .0501 .0107 .0107 .0598
    south_africa .0379 .0076 .0076 .0200
    spain .0707 .0200 .0200
    turkey .0109 .0009 .0009
    united_arab_emirates .0499 .0157 .0157 .0510
    united_kingdom .0635 .0220 .0220
    north_america .0250 .0034 .0034
    rest_of_africa .0225 .0040 .0040
    rest_of_asia_pacific .0732 .0113 .0113
    rest_of_central_and_eastern_europe .0860 .0212 .0212
    rest_of_latin_america .0740 .0113 .0113
    rest_of_middle_east .0341 .0091 .0091
    rest_of_western_europe .0592 .0171 .0171
    other .0604 .0077 .0077
    hong_kong .0732 .0260 .0260
    hungary .0860 .0350 .0350
    poland .0366 .0122 .0122
    qatar .0341 .0120 .0120
    romania .0860 .0290 .0290
    singapore .0732 .0160 .0160
    card 2026-10-01 AED partial
    source a HF dataset tobachat/whatsapp-api-rates (excerpt)
    columns authentication_international=a
    bangladesh .3526
    card 2026-10-01 USD complete
    source a Meta USD card of 2026-10-01 as transcribed in public transcription 70161666885
    source b Meta USD card of 2026-10-01 as transcribed in public transcription 70161666885; due only past 1000 \
    delivered service msgs per number per month
    source c rule: authentication list rate equals utility (true on every earlier card and in HF \
    tobachat/whatsapp-api-rates excerpt); not a column of transcription 70161666885
    source d carried from Jul-2026 card (no change announced); unconfirmed for Oct
    columns marketing=a utility=a authentication=c service=b authentication_international=d
    argentina .0618 .0260 .0260 .0260
    bangladesh .0732 .0037 .0037 .0037
    brazil .0625 .0068 .0068 .0068
    chile .0889 .0200 .0200 .0200
    colombia .0125 .0008 .0008 .0008
    egypt .0644 .0036 .0036 .0036 .0650
    france .0859 .0300 .0300 .0300
    germany .1365 .0550 .0550 .0550
    hong_kong .0732 .0260 .0260 .0260
    hungary .0860 .0350 .0350 .0350
    india .0118 .0014 .0014 .0014 .0304
    indonesia .0411 .0250 .0250 .0250 .1360
    iraq .0341 .0079 .0079 .0079
    israel .0353 .0053 .0053 .0053
    italy .0795 .0300 .0300 .0300
    kazakhstan .0604 .0180 .0180 .0180
    kuwait .0792 .0440 .0440 .0440
    malaysia .0860 .0140 .0140 .0140 .0418
    mexico .0397 .0085 .0085 .0085
    morocco .0414 .0230 .0230 .0230
    netherlands .1597 .0500 .0500 .0500
    nepal .0732 .0034 .0034 .0034
    nigeria .0516 .0067 .0067 .0067 .0750
    oman .0341 .0247 .0247 .0247
    pakistan .0473 .0150 .0150 .0150 .0750
    peru .0703 .0300 .0300 .0300
    poland .0366 .0122 .0122 .0122
    qatar .0341 .0120 .0120 .0120
    romania .0860 .0290 .0290 .0290
    russia .0802 .0400 .0400 .0400
    saudi_arabia .0576 .0107 .0107 .0107 .0598
    singapore .0732 .0160 .0160 .0160
    south_africa .0379 .0095 .0095 .0095 .0200
    spain .0707 .0200 .0200 .0200
    sri_lanka .0732 .0020 .0020 .0020
    turkey .0109 .0009 .0009 .0009
    ukraine .0860 .0298 .0298 .0298
    united_arab_emirates .0576 .0157 .0157 .0157 .0510
    united_kingdom .0635 .0220 .0220 .0220
    north_america .0250 .0034 .0034 .0034
    rest_of_africa .0225 .0040 .0040 .0040
    rest_of_asia_pacific .0842 .0113 .0113 .0113
    rest_of_central_and_eastern_europe .0860 .0212 .0212 .0212
    rest_of_latin_america .0740 .0113 .0113 .0113
    rest_of_middle_east .0392 .0091 .0091 .0091
    rest_of_western_europe .0592 .0171 .0171 .0171
    other .0604 .0077 .0077 .0077
    """
}
