import Domain

/// One row of the consent ledger, as far as it decides.
public struct ConsentWord: Hashable, Sendable {
  public let event: ConsentEvent
  public let scope: ConsentScope
  /// When the person said it, as far as the source knows.
  public let saidAt: Instant
  /// When this system wrote it down.
  public let recordedAt: Instant

  public init(_ event: ConsentEvent, scope: ConsentScope, saidAt: Instant, recordedAt: Instant) {
    (self.event, self.scope, self.saidAt, self.recordedAt) = (event, scope, saidAt, recordedAt)
  }

  /// The time by which words are ordered. Nobody can have said something after it was written down: a file with dates
  /// in the future, or with a clock that is ahead, must not outlast what the person says next.
  public var effectiveAt: Instant { min(saidAt, recordedAt) }
}

/// Whether a person must not be written to, as their words decide it.
///
/// For each scope the latest word holds, by the time it was said, so that an old file never undoes a newer stop; at the
/// same instant a stop wins, then a hold. A start for everything also re-opens marketing; a start for marketing leaves a stop of
/// everything. The words may come in any order and more than once: what comes out is the same.
public struct Suppression: Hashable, Sendable {
  /// What was last said about a scope.
  public struct Latest: Hashable, Sendable {
    public let event: ConsentEvent
    public let at: Instant

    fileprivate func isAfter(_ other: Latest) -> Bool {
      at != other.at ? at > other.at : event.strictness > other.event.strictness
    }
  }

  public private(set) var marketing: Latest?
  public private(set) var everything: Latest?

  public init() {}

  public init(_ words: some Sequence<ConsentWord>) {
    for word in words { hear(word) }
  }

  public mutating func hear(_ word: ConsentWord) {
    let latest = Latest(event: word.event, at: word.effectiveAt)
    switch word.scope {
    case .marketing: Suppression.raise(&marketing, to: latest)
    case .everything:
      Suppression.raise(&everything, to: latest)
      if word.event == .start { Suppression.raise(&marketing, to: latest) }
    }
  }

  private static func raise(_ held: inout Latest?, to latest: Latest) {
    if let current = held, !latest.isAfter(current) { return }
    held = latest
  }

  /// Whether a message of a category must not be handed over.
  public func forbids(_ category: Category) -> Bool {
    if let everything, everything.event != .start { return true }
    switch category {
    case .marketing, .marketingLite: return marketing.map { $0.event != .start } ?? false
    case .utility, .authentication, .service, .authenticationInternational, .referralConversion: return false
    }
  }
}

extension ConsentEvent {
  fileprivate var strictness: Int {
    switch self {
    case .start: 0
    case .hold: 1
    case .stop: 2
    }
  }
}
