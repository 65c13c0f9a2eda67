/// Watches a number's sends and remembers the fullest sliding window: a second, dumber judge than the ring.
public struct WindowLaw: Sendable {
  public let window: Int64
  private var recent: [Int64] = []
  private var start = 0
  /// The most sends found in any half-open window.
  public private(set) var fullest = 0
  public private(set) var count = 0

  public init(window: Int64) { self.window = window }

  /// Instants come in order. A window that ends just after this send holds every earlier one younger than the window.
  public mutating func send(at instant: Int64) {
    precondition(recent.last.map { $0 <= instant } ?? true, "sends are judged in order")
    recent.append(instant)
    while instant - recent[start] >= window { start += 1 }
    fullest = max(fullest, recent.count - start)
    count += 1
    if start > 4096 {
      recent.removeFirst(start)
      start = 0
    }
  }
}
