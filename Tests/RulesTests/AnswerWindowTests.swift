import Governor
import Testing

/// The window against a Meta of given strength: `slots` messages at once, each taking `takes`, the rest queue there.
@Suite struct `A window of unanswered messages` {
  struct Meta {
    let takes: Int64
    /// When each slot is free again; they are taken in turn.
    private var freeAt: [Int64]
    private var next = 0

    init(slots: Int, takes: Int64) {
      self.takes = takes
      freeAt = Array(repeating: 0, count: slots)
    }

    /// When the answer to a message that arrives now leaves.
    mutating func answer(at now: Int64) -> Int64 {
      defer { next = (next + 1) % freeAt.count }
      freeAt[next] = max(now, freeAt[next]) + takes
      return freeAt[next]
    }
  }

  /// Sends as fast as the window lets for so long; answers the messages answered in the last second and the window.
  static func run(
    _ window: inout AnswerWindow, _ meta: inout Meta, from start: Int64 = 0, for time: Int64, pace: Int64 = 0
  ) -> Int {
    var (now, answered, nextSlot): (Int64, Int, Int64) = (start, 0, start)
    var inFlight: [(at: Int64, handedOver: Int64)] = []
    var head = 0
    while now < start + time {
      while head < inFlight.count, inFlight[head].at <= now {
        window.answered(after: now - inFlight[head].handedOver, at: now)
        head += 1
        if now >= start + time - 1_000_000_000 { answered += 1 }
      }
      while now >= nextSlot, window.permits(beside: inFlight.count - head) {
        inFlight.append((meta.answer(at: now), now))
        if pace > 0 { nextSlot += pace }
      }
      precondition(inFlight.count - head <= window.most)
      now = min(head < inFlight.count ? inFlight[head].at : .max, pace > 0 && nextSlot > now ? nextSlot : .max)
    }
    return answered
  }

  @Test func `opens until a distant Meta is busy`() {
    var window = AnswerWindow(least: 64, most: 1000)
    var meta = Meta(slots: 500, takes: 200_000_000)
    // 500 at once, five times a second.
    #expect(Self.run(&window, &meta, for: 20_000_000_000) >= 2400)
    #expect(window.limit >= 500 && window.limit <= 1000)
  }

  @Test func `builds no queue in front of one that is near`() {
    var window = AnswerWindow(least: 64, most: 1000)
    var meta = Meta(slots: 4, takes: 400_000)
    // Ten thousand a second, and only four at once: 64 are plenty already.
    #expect(Self.run(&window, &meta, for: 5_000_000_000) >= 9_900)
    #expect(window.limit <= 90)
  }

  @Test func `follows Meta when it moves away`() {
    var window = AnswerWindow(least: 64, most: 1000)
    var meta = Meta(slots: 200, takes: 20_000_000)
    _ = Self.run(&window, &meta, for: 10_000_000_000)
    meta = Meta(slots: 200, takes: 100_000_000)
    let rate = Self.run(&window, &meta, from: 10_000_000_000, for: 40_000_000_000)
    #expect(rate >= 1900, "the old distance is forgotten, and the window opens again")
  }

  @Test func `stays as it is while a pace holds sending back`() {
    var window = AnswerWindow(least: 64, most: 1000)
    var meta = Meta(slots: 100, takes: 30_000_000)
    let sent = Self.run(&window, &meta, for: 10_000_000_000, pace: 1_000_000)
    #expect(sent >= 990 && window.limit == 64)
  }
}
