import Domain
import Money
import Schedule
import Store

/// Prices messages and keeps what is posted of each equal to what its receipts and the cards say now.
///
/// A message has one posting that stands. When a later receipt, a later card or another market says otherwise, the old
/// one is taken back and the new one added, so that neither the order of receipts nor the day a card came changes what
/// the ledger comes to.
struct Pricer {
  /// A message was charged by a rate that was loaded after these prices were read: read them again.
  struct Outdated: Error {}

  private let prices: RateCards.Prices
  private var zones: [String: Zone?] = [:]

  init(_ prices: RateCards.Prices = RateCards.Prices()) { self.prices = prices }

  /// Charges a message by the instant it first reached a phone. Changes nothing when its charge stands right.
  mutating func price(
    _ state: inout Standings.State, _ message: Standings.Known, _ basis: Standings.Basis, _ postings: inout PostingBatch
  ) throws(Outdated) {
    guard let at = StandingMerge.chargedAt(state) else { return }
    let zone = zone(basis.zone)
    let priced = prices.pricing.price(
      category: state.category, type: state.pricingType, delivered: at, phone: message.phone, currency: basis.currency,
      offset: { zone?.offset(at: $0) ?? 0 })
    let new = kind(state, message.key.campaign, priced, basis.currency)
    if let old = try posted(message, basis.currency) {
      guard !old.saysTheSame(as: new) else { return }
      postings.correct(old, to: new, because: reason(message.state, state, new))
    } else {
      postings.add(new)
    }
    state.charge = Standings.ChargeState(priced.charge)
    (state.rate, state.market, state.chargeDay) = (priced.charge.rate?.id, priced.market, priced.day)
  }

  mutating func day(of instant: Instant, in zone: String) -> CivilDate {
    Pricing.day(of: instant, offset: self.zone(zone)?.offset(at: instant) ?? 0)
  }

  private func kind(
    _ state: Standings.State, _ campaign: Campaign.ID, _ priced: Priced, _ currency: Currency
  ) -> Posting.Kind {
    Posting.Kind(
      campaign: campaign, number: state.number ?? Number.ID(0), priced: priced, category: state.category,
      type: state.pricingType, currency: currency)
  }

  /// What stands posted of a message; nil before its first charge.
  private func posted(_ message: Standings.Known, _ currency: Currency) throws(Outdated) -> Posting.Kind? {
    let state = message.state
    guard state.charge != .none, let market = state.market, let day = state.chargeDay else { return nil }
    let charge: Charge
    switch state.charge {
    case .none: return nil
    case .free: charge = .free(state.pricingType ?? .regular)
    case .unpriced: charge = .unpriced(.noRate)
    case .charged:
      guard let rate = state.rate.flatMap({ prices.rates[$0] }) else { throw Outdated() }
      charge = .charged(rate)
    }
    return kind(state, message.key.campaign, Priced(charge: charge, market: market, day: day), currency)
  }

  private func reason(_ old: Standings.State, _ new: Standings.State, _ kind: Posting.Kind) -> PostingReason {
    if old.charge == .unpriced, kind.charge.rate != nil { return .priced }
    let isSaidAnew =
      old.category != new.category || old.pricingType != new.pricingType || old.chargeDay != kind.day
      || old.number != new.number
    return isSaidAnew ? .receipt : .repriced
  }

  /// Nil when the system does not know it; days are then those of UTC.
  private mutating func zone(_ name: String) -> Zone? {
    if let known = zones[name] { return known }
    let zone: Zone?
    do { zone = try Zone(named: name) } catch {
      // Registration has refused zones that the system lacks; one that vanished since must not stop the folding.
      zone = nil
    }
    zones[name] = zone
    return zone
  }
}
