/// Meta's list prices, in the double's own spelling and the double's own arithmetic: what it bills must not come from
/// the code it checks. Transcribed from the rate cards of July and October 2026.
enum Rates {
  /// Millionths of the currency's unit.
  struct Price {
    let marketing: Int64
    let utility: Int64
    let authentication: Int64
    let authenticationInternational: Int64?
  }

  /// The price list in force on a day (days since 1970); nil when there is none for that currency and market.
  static func price(currency: String, market: String, day: Int) -> Price? {
    guard let cards = book[currency] else { return nil }
    // The earliest card also serves what came before it.
    let card = cards.last { $0.from <= day } ?? cards.first
    return card?.prices[market]
  }

  private static let book: [String: [(from: Int, prices: [String: Price])]] = {
    var book: [String: [(from: Int, prices: [String: Price])]] = [:]
    for line in table.split(separator: "\n") {
      let cells = line.split(separator: ";", omittingEmptySubsequences: false)
      let from = cells[0] == "2026-07" ? 20_635 : 20_727
      let currency = String(cells[1])
      if book[currency]?.last?.from != from { book[currency, default: []].append((from, [:])) }
      let price = Price(
        marketing: millionths(cells[3])!, utility: millionths(cells[4])!, authentication: millionths(cells[5])!,
        authenticationInternational: millionths(cells[6]))
      book[currency]![book[currency]!.count - 1].prices[String(cells[2])] = price
    }
    return book
  }()

  /// `0.0644` → 64400.
  private static func millionths(_ text: Substring) -> Int64? {
    let parts = text.split(separator: ".")
    guard parts.count == 2, let whole = Int64(parts[0]) else { return nil }
    return Int64(parts[1] + String(repeating: "0", count: 6 - parts[1].count)).map { whole * 1_000_000 + $0 }
  }

  // from;currency;market;marketing;utility;authentication;authentication-international
  private static let table = """
    2026-07;USD;Argentina;0.0618;0.0260;0.0260;
    2026-07;USD;Brazil;0.0625;0.0068;0.0068;
    2026-07;USD;Chile;0.0889;0.0200;0.0200;
    2026-07;USD;Colombia;0.0125;0.0008;0.0008;
    2026-07;USD;Egypt;0.0644;0.0036;0.0036;0.0650
    2026-07;USD;France;0.0859;0.0300;0.0300;
    2026-07;USD;Germany;0.1365;0.0550;0.0550;
    2026-07;USD;India;0.0118;0.0014;0.0014;0.0304
    2026-07;USD;Indonesia;0.0411;0.0250;0.0250;0.1360
    2026-07;USD;Israel;0.0353;0.0053;0.0053;
    2026-07;USD;Italy;0.0795;0.0300;0.0300;
    2026-07;USD;Malaysia;0.0860;0.0140;0.0140;0.0418
    2026-07;USD;Mexico;0.0305;0.0085;0.0085;
    2026-07;USD;Netherlands;0.1597;0.0500;0.0500;
    2026-07;USD;Nigeria;0.0516;0.0067;0.0067;0.0750
    2026-07;USD;Pakistan;0.0473;0.0100;0.0100;0.0750
    2026-07;USD;Peru;0.0703;0.0200;0.0200;
    2026-07;USD;Russia;0.0802;0.0400;0.0400;
    2026-07;USD;Saudi Arabia;0.0501;0.0107;0.0107;0.0598
    2026-07;USD;South Africa;0.0379;0.0076;0.0076;0.0200
    2026-07;USD;Spain;0.0707;0.0200;0.0200;
    2026-07;USD;Turkey;0.0109;0.0009;0.0009;
    2026-07;USD;United Arab Emirates;0.0499;0.0157;0.0157;0.0510
    2026-07;USD;United Kingdom;0.0635;0.0220;0.0220;
    2026-07;USD;North America;0.0250;0.0034;0.0034;
    2026-07;USD;Rest of Africa;0.0225;0.0040;0.0040;
    2026-07;USD;Rest of Asia Pacific;0.0732;0.0113;0.0113;
    2026-07;USD;Rest of Central & Eastern Europe;0.0860;0.0212;0.0212;
    2026-07;USD;Rest of Latin America;0.0740;0.0113;0.0113;
    2026-07;USD;Rest of Middle East;0.0341;0.0091;0.0091;
    2026-07;USD;Rest of Western Europe;0.0592;0.0171;0.0171;
    2026-07;USD;Other;0.0604;0.0077;0.0077;
    2026-07;USD;Hong Kong;0.0732;0.0260;0.0260;
    2026-07;USD;Hungary;0.0860;0.0350;0.0350;
    2026-07;USD;Poland;0.0366;0.0122;0.0122;
    2026-07;USD;Qatar;0.0341;0.0120;0.0120;
    2026-07;USD;Romania;0.0860;0.0290;0.0290;
    2026-07;USD;Singapore;0.0732;0.0160;0.0160;
    2026-07;EUR;Argentina;0.0512;0.0216;0.0216;
    2026-07;EUR;Brazil;0.0518;0.0056;0.0056;
    2026-07;EUR;Chile;0.0736;0.0166;0.0166;
    2026-07;EUR;Colombia;0.0104;0.0008;0.0008;
    2026-07;EUR;Egypt;0.0533;0.0030;0.0030;0.0538
    2026-07;EUR;France;0.0712;0.0248;0.0248;
    2026-07;EUR;Germany;0.1131;0.0456;0.0456;
    2026-07;EUR;Hong Kong;0.0606;0.0216;0.0216;
    2026-07;EUR;Hungary;0.0712;0.0289;0.0289;
    2026-07;EUR;India;0.0099;0.0012;0.0012;0.0252
    2026-07;EUR;Indonesia;0.0341;0.0208;0.0208;0.1129
    2026-07;EUR;Israel;0.0292;0.0044;0.0044;
    2026-07;EUR;Italy;0.0658;0.0248;0.0248;
    2026-07;EUR;Malaysia;0.0712;0.0116;0.0116;0.0346
    2026-07;EUR;Mexico;0.0253;0.0071;0.0071;
    2026-07;EUR;Netherlands;0.1323;0.0414;0.0414;
    2026-07;EUR;Nigeria;0.0428;0.0056;0.0056;0.0622
    2026-07;EUR;Pakistan;0.0392;0.0083;0.0083;0.0622
    2026-07;EUR;Peru;0.0582;0.0166;0.0166;
    2026-07;EUR;Poland;0.0303;0.0101;0.0101;
    2026-07;EUR;Qatar;0.0282;0.0099;0.0099;
    2026-07;EUR;Romania;0.0712;0.0239;0.0239;
    2026-07;EUR;Russia;0.0664;0.0331;0.0331;
    2026-07;EUR;Saudi Arabia;0.0414;0.0088;0.0088;0.0495
    2026-07;EUR;Singapore;0.0606;0.0133;0.0133;
    2026-07;EUR;South Africa;0.0314;0.0063;0.0063;0.0166
    2026-07;EUR;Spain;0.0585;0.0166;0.0166;
    2026-07;EUR;Turkey;0.0090;0.0007;0.0007;
    2026-07;EUR;United Arab Emirates;0.0415;0.0130;0.0130;0.0421
    2026-07;EUR;United Kingdom;0.0526;0.0182;0.0182;
    2026-07;EUR;North America;0.0207;0.0028;0.0028;
    2026-07;EUR;Rest of Africa;0.0186;0.0033;0.0033;
    2026-07;EUR;Rest of Asia Pacific;0.0606;0.0094;0.0094;
    2026-07;EUR;Rest of Central & Eastern Europe;0.0712;0.0175;0.0175;
    2026-07;EUR;Rest of Latin America;0.0612;0.0094;0.0094;
    2026-07;EUR;Rest of Middle East;0.0282;0.0075;0.0075;
    2026-07;EUR;Rest of Western Europe;0.0490;0.0142;0.0142;
    2026-07;EUR;Other;0.0500;0.0064;0.0064;
    2026-10;USD;Argentina;0.0618;0.0260;0.0260;
    2026-10;USD;Bangladesh;0.0732;0.0037;0.0037;
    2026-10;USD;Brazil;0.0625;0.0068;0.0068;
    2026-10;USD;Chile;0.0889;0.0200;0.0200;
    2026-10;USD;Colombia;0.0125;0.0008;0.0008;
    2026-10;USD;Egypt;0.0644;0.0036;0.0036;0.0650
    2026-10;USD;France;0.0859;0.0300;0.0300;
    2026-10;USD;Germany;0.1365;0.0550;0.0550;
    2026-10;USD;Hong Kong;0.0732;0.0260;0.0260;
    2026-10;USD;Hungary;0.0860;0.0350;0.0350;
    2026-10;USD;India;0.0118;0.0014;0.0014;0.0304
    2026-10;USD;Indonesia;0.0411;0.0250;0.0250;0.1360
    2026-10;USD;Iraq;0.0341;0.0079;0.0079;
    2026-10;USD;Israel;0.0353;0.0053;0.0053;
    2026-10;USD;Italy;0.0795;0.0300;0.0300;
    2026-10;USD;Kazakhstan;0.0604;0.0180;0.0180;
    2026-10;USD;Kuwait;0.0792;0.0440;0.0440;
    2026-10;USD;Malaysia;0.0860;0.0140;0.0140;0.0418
    2026-10;USD;Mexico;0.0397;0.0085;0.0085;
    2026-10;USD;Morocco;0.0414;0.0230;0.0230;
    2026-10;USD;Netherlands;0.1597;0.0500;0.0500;
    2026-10;USD;Nepal;0.0732;0.0034;0.0034;
    2026-10;USD;Nigeria;0.0516;0.0067;0.0067;0.0750
    2026-10;USD;Oman;0.0341;0.0247;0.0247;
    2026-10;USD;Pakistan;0.0473;0.0150;0.0150;0.0750
    2026-10;USD;Peru;0.0703;0.0300;0.0300;
    2026-10;USD;Poland;0.0366;0.0122;0.0122;
    2026-10;USD;Qatar;0.0341;0.0120;0.0120;
    2026-10;USD;Romania;0.0860;0.0290;0.0290;
    2026-10;USD;Russia;0.0802;0.0400;0.0400;
    2026-10;USD;Saudi Arabia;0.0576;0.0107;0.0107;0.0598
    2026-10;USD;Singapore;0.0732;0.0160;0.0160;
    2026-10;USD;South Africa;0.0379;0.0095;0.0095;0.0200
    2026-10;USD;Spain;0.0707;0.0200;0.0200;
    2026-10;USD;Sri Lanka;0.0732;0.0020;0.0020;
    2026-10;USD;Turkey;0.0109;0.0009;0.0009;
    2026-10;USD;Ukraine;0.0860;0.0298;0.0298;
    2026-10;USD;United Arab Emirates;0.0576;0.0157;0.0157;0.0510
    2026-10;USD;United Kingdom;0.0635;0.0220;0.0220;
    2026-10;USD;North America;0.0250;0.0034;0.0034;
    2026-10;USD;Rest of Africa;0.0225;0.0040;0.0040;
    2026-10;USD;Rest of Asia Pacific;0.0842;0.0113;0.0113;
    2026-10;USD;Rest of Central & Eastern Europe;0.0860;0.0212;0.0212;
    2026-10;USD;Rest of Latin America;0.0740;0.0113;0.0113;
    2026-10;USD;Rest of Middle East;0.0392;0.0091;0.0091;
    2026-10;USD;Rest of Western Europe;0.0592;0.0171;0.0171;
    2026-10;USD;Other;0.0604;0.0077;0.0077;
    """
}
