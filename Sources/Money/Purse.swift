import Domain

/// What one lane holds of the pools that it shares with others: blocks drawn, not yet spent. Pure; `now` is nanoseconds.
public struct Purse: Sendable {
  private struct Holding: Sendable {
    var left = Amount.zero
    var usedAt: Int64
    /// A draw gave nothing for a message of this price; asked again after `dryUntil`.
    var dryAt: Amount?
    var dryUntil = Int64.min
  }

  private var holdings: [Int64: Holding] = [:]

  public init() {}

  public func left(of pool: Int64) -> Amount { holdings[pool]?.left ?? .zero }

  /// How many of these prices, from the first on, what is left covers; a position without a price costs nothing.
  public func covered(_ prices: [Amount?], by pool: Int64) -> Int {
    var left = self.left(of: pool)
    for (index, price) in prices.enumerated() {
      guard let price, price > .zero else { continue }
      guard left >= price else { return index }
      left -= price
    }
    return prices.count
  }

  public mutating func drew(_ amount: Amount, from pool: Int64, at now: Int64) {
    holdings[pool, default: Holding(usedAt: now)].left += amount
    holdings[pool]?.usedAt = now
    holdings[pool]?.dryAt = nil
  }

  /// What the record says is left, when the memory may be wrong.
  public mutating func knows(_ left: Amount, of pool: Int64, at now: Int64) {
    holdings[pool, default: Holding(usedAt: now)].left = left
  }

  public mutating func ranDry(_ pool: Int64, price: Amount, until: Int64, at now: Int64) {
    holdings[pool, default: Holding(usedAt: now)].dryAt = price
    holdings[pool]?.dryUntil = until
  }

  /// The price that a dry pool could not give; nil while it is not dry.
  public func dry(_ pool: Int64) -> (price: Amount, until: Int64)? {
    holdings[pool].flatMap { holding in holding.dryAt.map { ($0, holding.dryUntil) } }
  }

  public mutating func spend(_ amount: Amount, from pool: Int64, at now: Int64) {
    guard amount > .zero else { return }
    precondition(left(of: pool) >= amount, "a claim spends only what its lane drew")
    holdings[pool]?.left -= amount
    holdings[pool]?.usedAt = now
  }

  /// What was not spent from for `after`: others may need it.
  public func idle(for after: Int64, at now: Int64) -> [(pool: Int64, amount: Amount)] {
    holdings.compactMap { pool, holding in
      holding.left > .zero && now - holding.usedAt >= after ? (pool, holding.left) : nil
    }.sorted { $0.pool < $1.pool }
  }

  public mutating func gaveBack(_ pool: Int64) { holdings[pool]?.left = .zero }
}
