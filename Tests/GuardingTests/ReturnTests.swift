import Domain
import Guarding
import JSON
import Store
import Testing

@Suite struct `A resume by rule` {
  private static let now = Instant(seconds: 1_800_000_000)

  private static func rule(_ text: String) throws -> CampaignSpec.Guarding.Resume {
    let spec = """
      {"name": "a", "from": "1", "template": {"name": "t", "language": "ar"}, "audience": {"id": "1"}, "guard": {"resume": \(text)}}
      """
    let read = try CampaignSpec(json: try JSONValue(parsing: Array(spec.utf8)))
    #expect(try CampaignSpec(json: read.json).guarding == read.guarding, "reads back")
    return read.guarding.resume
  }

  @Test func `is asked for, never a default`() throws {
    #expect(CampaignSpec.Guarding().resume == .operator)
    #expect(try Self.rule(#""automatic""#) == .automatic && Self.rule(#""operator""#) == .operator)
    var rule = CampaignSpec.Guarding.Resume.Rule()
    #expect(try Self.rule("{}") == .byRule(rule))
    (rule.greenFor, rule.pace) = (.seconds(5400), Amount(billionths: 250_000_000))
    #expect(try Self.rule(#"{"green_for": "90m", "pace": 0.25}"#) == .byRule(rule))
    for (wrong, field) in [
      (#""always""#, "guard.resume"), (#"{"green_for": 3}"#, "guard.resume.green_for"),
      (#"{"pace": 2}"#, "guard.resume.pace"), (#"{"after": "2h"}"#, "guard.resume.after"),
    ] {
      let error = #expect(throws: Problem.self) { try Self.rule(wrong) }
      #expect(error?.field == field)
    }
  }

  @Test func `needs every number seen GREEN for the whole time`() {
    let rule = ReturnRule(.init())
    func may(_ green: Bool, since: Duration, lookedAt: Duration) -> Bool {
      rule.mayResume(.init(areGreen: green, greenSince: Self.now - since, lookedAt: Self.now - lookedAt))
    }
    #expect(may(true, since: .seconds(7200), lookedAt: .zero))
    #expect(!may(true, since: .seconds(7199), lookedAt: .zero))
    #expect(!may(false, since: .seconds(90_000), lookedAt: .zero))
    // Nobody has looked since: that it was GREEN then says nothing of now.
    #expect(!may(true, since: .seconds(90_000), lookedAt: .seconds(83_000)))
    #expect(!rule.mayResume(.init(areGreen: true, greenSince: Self.now, lookedAt: nil)))
  }

  @Test func `begins slowly and comes back in ten steps, never beyond the pace of before`() {
    let rule = ReturnRule(.init())
    let paces = (0...14).map { rule.pace(of: 100, after: .seconds(600 * $0)) }
    #expect(paces == [50, 55, 60, 65, 70, 75, 80, 85, 90, 95, 100, 100, 100, 100, 100])
    #expect(rule.pace(of: 100, after: .seconds(599)) == 50 && rule.pace(of: 1, after: .zero) == 1)
    for full in 1...300 {
      let all = (0...10).map { rule.pace(of: full, after: .seconds(600 * $0)) }
      #expect(all == all.sorted() && all[10] == full && all[0] >= 1)
    }
  }
}
