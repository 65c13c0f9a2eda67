import Population

/// One campaign to a population in virtual time: the Sandbox's own people and scores, a number that sends at its pace, and
/// whoever looks after it once a second. The people's parameters are those of `PeopleModel`; what differs between trials
/// is said here.
public struct PopulationTrial {
  public var model = PeopleModel()
  public var seed: UInt64
  public var people = 50_000
  /// A second: a number of 80 less the fifth it keeps.
  public var pace = 64
  /// A campaign to 50,000 needs a tier of 100,000 a day, so the number has written to its own customers before: its score
  /// does not begin with them.
  public var history = 5000
  /// Between two looks at the number's colour.
  public var lookEvery = 30
  /// Where the steps of a pilot end; empty without one.
  public var steps: [Int] = []

  public init(seed: UInt64) { self.seed = seed }

  public struct Sums: Sendable {
    public var accepted = 0
    public var delivered = 0
    public var read = 0
    public var optedOut = 0
    public var failures: [Int32: Int] = [:]
  }

  /// What can be seen of the campaign in a second.
  public struct Look: Sendable {
    public let second: Int
    public let sums: Sums
    /// As of the last look at the number.
    public let colour: String
    /// From 1; past the last of `steps` for the rest.
    public let step: Int
    /// The second in which the last of the steps opened so far was sent.
    public let sentAt: Int?
  }

  public enum Action: Sendable, Equatable {
    case halvePace
    case openStep
    case halt(String)
  }

  public struct Result: Sendable {
    public var sent = 0
    public var haltedBy: String?
    /// Messages sent when the number became RED; nil: it never did, also not by what was on its way at a halt.
    public var redAt: Int?
  }

  private enum Event { case delivered, read, failed(Int32), stopped, blocked }

  /// Runs it to its end, or to RED; `guardian` answers each second's look.
  public func run(_ guardian: (Look) -> [Action] = { _ in [] }) -> Result {
    var result = Result()
    var (sums, score) = (Sums(), warmScore())
    var colour = score.colour(model)
    var (seen, step, pace) = (colour, 1, pace)
    var sentAt: Int?
    var second = 0
    // By the second in which they happen: four hours, the longest a phone stays off, and a minute to react.
    var later = [[(Event, Int64)]](repeating: [], count: 1)
    var (open, goesOn) = (steps.first ?? people, true)
    func phone(_ place: Int) -> Int64 { 201_000_000_000 + Int64(place) }

    while goesOn || second < later.count {
      for (event, phone) in second < later.count ? later[second] : [] {
        switch event {
        case .delivered:
          sums.delivered += 1
          score.delivered(model)
          let (reaction, after) = Reaction.of(
            phone, nature(phone), received: 1, offers: 1, hasStopped: false, seed: seed, model)
          let at = second + Int(after / 1000) + 1
          if reaction == .stop { PopulationTrial.note(.stopped, phone, at, &later) }
          if reaction == .block { PopulationTrial.note(.blocked, phone, at, &later) }
        case .read: sums.read += 1
        case .failed(let code): sums.failures[code, default: 0] += 1
        case .stopped: sums.optedOut += 1
        case .blocked:
          score.blocked(model)
          colour = score.colour(model)
        }
      }
      if second < later.count { later[second] = [] }
      if colour == "RED" {
        result.redAt = result.sent
        return result
      }
      if goesOn {
        for _ in 0..<min(pace, min(open, people) - result.sent) {
          send(phone(result.sent), at: second, &later)
          result.sent += 1
          sums.accepted += 1
        }
        if result.sent >= min(open, people), sentAt == nil { sentAt = second }
        if second % lookEvery == 0 { seen = colour }
        let look = Look(second: second, sums: sums, colour: seen, step: step, sentAt: sentAt)
        for action in guardian(look) {
          switch action {
          case .halvePace: pace = max(1, pace / 2)
          case .openStep where step <= steps.count:
            step += 1
            open = step <= steps.count ? steps[step - 1] : people
            sentAt = nil
          case .openStep: break
          case .halt(let rule): (result.haltedBy, goesOn) = (rule, false)
          }
        }
        // All sent and nothing to come: what the guard says afterwards halts nothing.
        if result.sent >= people { goesOn = false }
      }
      second += 1
    }
    return result
  }

  private func nature(_ phone: Int64) -> Nature { Nature(of: phone, seed: seed, model, inArabia: true) }

  private func send(_ phone: Int64, at second: Int, _ later: inout [[(Event, Int64)]]) {
    let fate = Fate(
      of: phone, nature(phone), Fate.Person(received: 1, offers: 1), isOffer: true, seed: seed, skippedDeliveredRate: 0,
      model)
    func at(_ milliseconds: Double) -> Int { second + Int(milliseconds / 1000) + 1 }
    if let failure = fate.failure { return PopulationTrial.note(.failed(failure.code), phone, at(failure.after), &later) }
    guard let delivered = fate.deliveredAfter else { return }
    PopulationTrial.note(.delivered, phone, at(fate.sentAfter + delivered), &later)
    if let read = fate.readAfter { PopulationTrial.note(.read, phone, at(fate.sentAfter + delivered + read), &later) }
  }

  private static func note(_ event: Event, _ phone: Int64, _ second: Int, _ later: inout [[(Event, Int64)]]) {
    while later.count <= second { later.append([]) }
    later[second].append((event, phone))
  }

  /// What the number's own customers made of it.
  private func warmScore() -> Score {
    var (score, draw) = (Score(), Draw(seed, 0x1157_0217, 4))
    for _ in 0..<history {
      score.delivered(model)
      if draw.unit() < model.blockRate { score.blocked(model) }
    }
    return score
  }
}
