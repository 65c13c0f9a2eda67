/// The law of pauses on one page: what each event opens and ends over one campaign with one number and one template. The
/// record says the same in SQL; `OrderOfStatesTests` tries this one in every order and holds the record against it.
struct PauseMachine: Hashable {
  enum Life: UInt32, CaseIterable { case draft, scheduled, sending, failed, cancelled }
  enum Colour: UInt32, CaseIterable { case green, yellow, red }
  enum Status: UInt32, CaseIterable { case connected, flagged, restricted }

  struct Pauses: OptionSet, Hashable {
    let rawValue: UInt32
    static let marketer = Pauses(rawValue: 1 << 0)
    static let `operator` = Pauses(rawValue: 1 << 1)
    static let yellow = Pauses(rawValue: 1 << 2)
    static let red = Pauses(rawValue: 1 << 3)
    static let templatePaused = Pauses(rawValue: 1 << 4)
    static let dearer = Pauses(rawValue: 1 << 5)
    static let cancelled = Pauses(rawValue: 1 << 6)
    static let flagged = Pauses(rawValue: 1 << 7)
    static let stopped = Pauses(rawValue: 1 << 8)
    static let template = Pauses(rawValue: 1 << 9)
    /// Over the token, the account or the portfolio: they open and end alike.
    static let above = Pauses(rawValue: 1 << 10)

    static let overCampaign: Pauses = [.marketer, .operator, .yellow, .red, .templatePaused, .dearer, .cancelled]
    static let overNumber: Pauses = [.flagged, .stopped]
  }

  enum Event: Hashable {
    case launch, start, cancel, restart
    /// The look at the number's node; what it does not name is as before.
    case seesColour(Colour), seesStatus(Status)
    case toldFlagged, templatePaused, templateApproved, categoryDearer, aboveRefused
    case marketerPauses, marketerResumes, operatorPauses, operatorResumes
    case operatorResumesNumber, operatorResumesAbove, operatorResumesTemplate

    static let all: [Event] =
      [
        .launch, .start, .cancel, .restart, .toldFlagged, .templatePaused, .templateApproved, .categoryDearer, .aboveRefused,
        .marketerPauses, .marketerResumes, .operatorPauses, .operatorResumes, .operatorResumesNumber, .operatorResumesAbove,
        .operatorResumesTemplate,
      ] + Colour.allCases.map(Event.seesColour) + Status.allCases.map(Event.seesStatus)
  }

  var life = Life.draft
  var colour = Colour.green
  var status = Status.connected
  var isApproved = true
  var open: Pauses = []
  /// Somebody was told of this colour, or of this flag, since it came.
  var isColourTold = false
  var isFlagTold = false

  /// What the gate answers.
  var maySend: Bool { life == .sending && open.isEmpty }
  var isOver: Bool { life == .failed || life == .cancelled }
  private var isLive: Bool { life == .scheduled || life == .sending }
  var rule: Pauses? { colour == .red ? .red : colour == .yellow ? .yellow : nil }

  /// All of it in one word, to remember the states that were met.
  var key: UInt32 {
    open.rawValue | life.rawValue << 11 | colour.rawValue << 14 | status.rawValue << 16 | (isApproved ? 1 << 18 : 0)
      | (isColourTold ? 1 << 19 : 0) | (isFlagTold ? 1 << 20 : 0)
  }

  mutating func handle(_ event: Event) {
    switch event {
    case .launch: if life == .draft { life = .scheduled }
    case .start:
      guard life == .scheduled else { return }
      life = isApproved ? .sending : .failed
      judgeColour()
    case .cancel:
      guard !isOver else { return }
      life = .cancelled
      open.insert(.cancelled)
    // What a service forgets when it ends, no pause hangs on.
    case .restart: break
    case .seesColour(let now):
      if now != colour { (colour, isColourTold) = (now, false) }
      judgeColour()
      see(status)
    case .seesStatus(let now):
      judgeColour()
      see(now)
    case .toldFlagged:
      if status != .flagged { (status, isFlagTold) = (.flagged, false) }
      if open.insert(.flagged).inserted { isFlagTold = true }
    case .templatePaused:
      isApproved = false
      open.insert(.template)
      if isLive { open.insert(.templatePaused) }
    case .templateApproved:
      isApproved = true
      open.remove(.template)
    case .categoryDearer: if isLive { open.insert(.dearer) }
    case .aboveRefused: open.insert(.above)
    case .marketerPauses: if isLive { open.insert(.marketer) }
    case .operatorPauses: if isLive { open.insert(.operator) }
    case .marketerResumes: if open.intersection(.overCampaign) == .marketer { open.remove(.marketer) }
    case .operatorResumes:
      guard life != .cancelled else { return }
      if let rule, open.contains(rule) { isColourTold = true }
      open.subtract(.overCampaign)
    case .operatorResumesNumber:
      if open.contains(.flagged) { isFlagTold = true }
      open.subtract(.overNumber)
    case .operatorResumesAbove: open.remove(.above)
    case .operatorResumesTemplate: open.remove(.template)
    }
  }

  /// A colour stops a live campaign once, until it changes.
  private mutating func judgeColour() {
    guard isLive, let rule, !isColourTold else { return }
    if open.insert(rule).inserted { isColourTold = true }
  }

  /// A flag stops the number once, until it is raised anew; where Meta itself refuses, each look stops it.
  private mutating func see(_ now: Status) {
    if now != status { (status, isFlagTold) = (now, false) }
    switch now {
    case .connected: open.remove(.stopped)
    case .flagged: if !isFlagTold, open.insert(.flagged).inserted { isFlagTold = true }
    case .restricted: open.insert(.stopped)
    }
  }
}
