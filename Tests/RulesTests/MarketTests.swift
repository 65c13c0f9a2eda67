import Domain
import Money
import Testing

func day(_ text: String) -> CivilDate { CivilDate(text) ?? CivilDate(daysSince1970: 0) }
func phone(_ text: String) throws -> PhoneNumber { try #require(PhoneNumber(e164: text)) }
func money(_ text: String) throws -> Amount { try #require(Amount(text)) }
func currency(_ code: String) throws -> Currency { try #require(Currency(code)) }

@Suite struct `A market` {
  @Test func `has one number, one word and two names`() {
    let all = Market.allCases
    #expect(Set(all.map(\.rawValue)).count == all.count)
    #expect(Set(all.map(\.word)).count == all.count)
    #expect(Set(all.map(\.name)).count == all.count)
    #expect(Set(all.map(\.arabicName)).count == all.count)
    #expect(Market.restOfCentralAndEasternEurope.word == "rest_of_central_and_eastern_europe")
  }

  @Test func `is read in every way it is written`() {
    for market in Market.allCases {
      #expect(Market(word: market.word) == market)
      #expect(Market(name: market.word) == market)
      #expect(Market(name: market.name) == market)
      #expect(Market(name: market.arabicName) == market)
    }
    #expect(Market(name: "REST OF MIDDLE EAST") == .restOfMiddleEast)
    #expect(Market(name: "Rest of Central and Eastern Europe") == .restOfCentralAndEasternEurope)
    #expect(Market(name: "Atlantis") == nil)
    #expect(Market(name: "") == nil)
  }

  @Test(arguments: [
    ("+201001234567", "2026-01-01", Market.egypt), ("+966501234567", "2026-01-01", .saudiArabia),
    ("+971501234567", "2026-01-01", .unitedArabEmirates), ("+96550123456", "2026-09-30", .restOfMiddleEast),
    ("+96550123456", "2026-10-01", .kuwait), ("+97433123456", "2026-06-30", .restOfMiddleEast),
    ("+97433123456", "2026-07-01", .qatar), ("+212612345678", "2026-09-30", .restOfAfrica),
    ("+212612345678", "2027-03-01", .morocco), ("+9647701234567", "2026-10-01", .iraq),
    ("+96891234567", "2026-10-01", .oman),
    ("+962791234567", "2026-10-01", .restOfMiddleEast), ("+21621234567", "2026-10-01", .restOfAfrica),
    ("+970591234567", "2026-10-01", .other), ("+963991234567", "2026-10-01", .other),
    ("+821012345678", "2026-10-01", .other),
    ("+14155550123", "2026-10-01", .northAmerica), ("+18095550123", "2026-10-01", .restOfLatinAmerica),
    ("+18765550123", "2026-10-01", .restOfLatinAmerica), ("+12425550123", "2026-10-01", .other),
    ("+79161234567", "2026-10-01", .russia), ("+77011234567", "2026-10-01", .kazakhstan),
    ("+77011234567", "2026-07-01", .russia),
    ("+905321234567", "2026-10-01", .turkey), ("+491701234567", "2026-10-01", .germany),
    ("+351912345678", "2026-10-01", .restOfWesternEurope),
    ("+385911234567", "2020-01-01", .restOfCentralAndEasternEurope),
    ("+8801712345678", "2026-09-30", .restOfAsiaPacific),
    ("+8801712345678", "2026-10-01", .bangladesh), ("+380501234567", "2026-10-01", .ukraine),
    ("+9991234567", "2026-10-01", .other),
  ])
  func `follows from the longest prefix of a phone and the day`(text: String, on: String, market: Market) throws {
    #expect(MarketMap.shipped.market(of: try phone(text), on: day(on)) == market)
  }

  @Test func `changes only on the days its map names`() {
    #expect(
      MarketMap.shipped.changes(after: day("2026-06-30"), through: day("2026-10-01")) == [
        day("2026-07-01"), day("2026-10-01"),
      ])
    #expect(MarketMap.shipped.changes(after: day("2026-07-01"), through: day("2026-09-30")).isEmpty)
  }
}
