import Domain
import Store

/// When a campaign that a rating stopped goes on by itself, and how fast: pure, over what was seen of its numbers.
public struct ReturnRule: Sendable {
  /// A part of the pace comes back at each step.
  public static let steps = 10
  public static let stepEvery: Duration = .seconds(600)

  public let rule: CampaignSpec.Guarding.Resume.Rule
  public init(_ rule: CampaignSpec.Guarding.Resume.Rule) { self.rule = rule }

  /// Every number has been seen GREEN for the whole time. A number that nobody has looked at since proves nothing: the time
  /// counts up to the last look.
  public func mayResume(_ seen: Returns.Colours) -> Bool {
    guard seen.areGreen, let since = seen.greenSince, let lookedAt = seen.lookedAt else { return false }
    return lookedAt >= since + rule.greenFor
  }

  /// Messages in the pace's own unit, so long after it went on: its part at first, all of it after the last step.
  public func pace(of full: Int, after elapsed: Duration) -> Int {
    let begun = full * Int(rule.pace.billionths / 1000) / 1_000_000
    let passed = min(Int(max(.zero, elapsed).nanoseconds / ReturnRule.stepEvery.nanoseconds), ReturnRule.steps)
    return min(full, max(1, begun + (full - begun) * passed / ReturnRule.steps))
  }
}
