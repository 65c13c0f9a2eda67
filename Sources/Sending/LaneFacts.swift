import Domain
import Reactor
import Store

/// The fact knows the outcome: kept in memory until a commit covers it, appended in batches.
extension Lane {
  func factLoop() async {
    while !Task.isCancelled {
      var rest = line.settings.factsEvery
      if !ended.isEmpty {
        do {
          try await flush()
          if ended.count >= line.settings.factsBatch { continue }
        } catch {
          // Facts stay in memory until a commit covers them; recording them twice changes nothing.
          line.log("facts_not_recorded", [("number", number.phoneNumberID), ("error", "\(error)")])
          rest = .milliseconds(100)
        }
      }
      do { try await line.reactor.sleep(for: rest) } catch { return }
    }
  }

  func flush() async throws {
    let count = min(ended.count, line.settings.factsBatch)
    let batch = ended[..<count]
    var halts: [Facts.Halt] = []
    for item in batch { if let halt = item.halt, !halts.contains(halt) { halts.append(halt) } }
    var words: [Consents.Word] = []
    for item in batch {
      if let word = item.word, !words.contains(where: { $0.person == word.person }) { words.append(word) }
    }
    let names = batch.compactMap(\.name)
    if !names.isEmpty { try await Aliases.learn(names, business: number.lane.business, on: line.facts) }
    // Before the fact: afterwards another lane may have let the same message through again.
    if hasCounted {
      try await PeopleCounts.settle(
        batch.compactMap(\.refused).map {
          PeopleCounts.Ended(campaign: $0.campaign, seq: $0.seq, attempt: $0.attempt, deliveredAt: nil)
        }, on: line.facts)
    }
    try await Facts.record(
      batch.compactMap(\.fact), returns: batch.compactMap(\.back), skips: batch.compactMap(\.skip), halts: halts,
      refused: batch.compactMap(\.refused), holds: batch.compactMap(\.hold), retries: line.settings.marketingRetries,
      words: words, business: number.lane.business, number: numberID, on: line.facts)
    for item in batch { settled(item.claim) }
    // Only the front was taken, and only this loop removes.
    ended.removeFirst(count)
    line.counters.recorded(count)
    pace()
  }

  func settled(_ claim: Int64) {
    guard let index = open.firstIndex(where: { $0.k == claim }) else { return }
    open[index].left -= 1
    advanceDone()
  }

  func advanceDone() {
    while let first = open.first, first.left <= 0 {
      doneK = first.k
      open.removeFirst()
    }
    if open.isEmpty { doneK = k }
  }
}
