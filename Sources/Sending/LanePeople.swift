import Domain
import Governor
import Reactor
import Schedule
import Store

/// The limit of people: the portfolio's in 24 hours, the number's while it warms up. The gate keeps it; the lane waits
/// while it is used up, and looks again a few times a second, so that a raised one holds at once. Without a limit nothing
/// of this happens.
extension Lane {
  /// What the gate keeps to, as of now: a warm-up has other people each day.
  func peopleAllowed() -> Gate.People? {
    let limit = PeopleLimit.people(ofTier: rules.tier).map {
      PeopleLimit.usable($0, headroomPercent: line.settings.tierHeadroomPercent)
    }
    let today = line.zones.zone(rules.zone).flatMap { WarmUp.today(rules.warmUp, at: .now, in: $0) }
    guard limit != nil || today != nil else { return nil }
    hasCounted = true
    return Gate.People(limit: limit, today: today)
  }

  /// The number as it is now: Meta's limit or its ramp may be another one.
  func learn(_ number: LiveCampaigns.LiveNumber) { rules = number }

  /// Whether somebody more may be written to at all.
  func lookAtPeople() async throws {
    crowdedUntil = nil
    if let people = peopleAllowed() {
      let full = try await PeopleCounts.fullUntil(people, number.lane, on: line.claims)
      crowdedUntil = [full.portfolio, full.number].compactMap { $0 }.max()
    }
    queue.isCrowded = crowdedUntil != nil
  }

  /// An urgent message does not keep those behind it waiting, who may be in their service windows: its person is held.
  func hold(_ crowded: [LaneQueue.Message]) {
    guard !crowded.isEmpty else { return }
    let wait = (crowdedUntil ?? .now + line.settings.crowdedRest) - .now
    for message in crowded {
      finished(message, back: .dailyLimit, after: max(line.settings.crowdedRest, wait).nanoseconds)
    }
  }
}
