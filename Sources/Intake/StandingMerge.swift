import CloudAPI
import Domain
import Money
import Store

/// How receipts become a message's state: monotone, free of order, deaf to repetition. Pure.
enum StandingMerge {
  /// Takes one receipt into a state. `failed` loses to `delivered` and above, whenever it comes.
  static func merge(_ receipt: StatusReceipt, into state: inout Standings.State) {
    func earliest(_ a: Instant?, _ b: Instant) -> Instant { a.map { min($0, b) } ?? b }
    switch receipt.standing {
    case .none: break
    case .sent: state.sentAt = earliest(state.sentAt, receipt.timestamp)
    case .delivered: state.deliveredAt = earliest(state.deliveredAt, receipt.timestamp)
    case .read, .played: state.readAt = earliest(state.readAt, receipt.timestamp)
    case .failed:
      state.failedAt = earliest(state.failedAt, receipt.timestamp)
      // Of two failures the smaller code is kept, so that their order does not matter.
      if let code = receipt.error?.code {
        let known = Int32(clamping: code)
        state.code = state.code == 0 ? known : min(state.code, known)
      }
    }
    if receipt.standing.rawValue > state.standing.rawValue { state.standing = receipt.standing }
    if let pricing = receipt.pricing {
      // Any receipt of a message may carry its pricing, and all that do agree; if they ever differ the smaller wins.
      if let category = pricing.category, category.rawValue < state.category?.rawValue ?? .max { state.category = category }
      if let type = pricing.type, type.rawValue < state.pricingType?.rawValue ?? .max { state.pricingType = type }
    }
  }

  /// What a delivered message is charged by: the instant it first reached the phone.
  static func chargedAt(_ state: Standings.State) -> Instant? {
    guard state.standing.rawValue >= Standing.delivered.rawValue else { return nil }
    switch (state.deliveredAt, state.readAt) {
    case (let delivered?, let read?): return min(delivered, read)
    case (let one, let other): return one ?? other
    }
  }
}
