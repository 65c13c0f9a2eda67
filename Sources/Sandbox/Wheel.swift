import Domain
import Reactor

/// What is still to happen, in slots of five milliseconds: a million messages have three million events waiting.
final class Wheel {
  enum Kind: UInt8 {
    case sent = 1
    case delivered, read, failed
    /// A receipt that comes later than its event, or a second time.
    case tellSent, tellDelivered, tellRead, tellFailed
    /// The end of a quality hold.
    case release
    case pressStop, writeStop, nativeStop, block, reply
  }
  struct Event {
    let kind: Kind
    let index: Int
  }

  private static let slot: Int64 = 5_000_000
  /// How many events one turn of the reactor handles.
  private static let portion = 512

  var handler: ((Event) -> Void)!
  private let reactor: Reactor
  private var slots: [Int64: [UInt64]] = [:]
  /// A heap of the slots that hold something.
  private var order: [Int64] = []
  private var armed: (timer: Reactor.TimerID, at: Int64)?
  private(set) var count = 0
  private var isStopped = false

  init(on reactor: Reactor) { self.reactor = reactor }

  /// `at`: nanoseconds of the boot clock.
  func add(_ kind: Kind, _ index: Int, at: Int64) {
    let slot = at / Wheel.slot + 1
    let packed = UInt64(index) << 8 | UInt64(kind.rawValue)
    count += 1
    if slots[slot]?.append(packed) == nil {
      slots[slot] = [packed]
      push(slot)
    }
    arm()
  }

  func stop() {
    isStopped = true
    if let armed { reactor.cancel(armed.timer) }
    armed = nil
  }

  private func arm() {
    guard let next = order.first, !isStopped else { return }
    if let armed {
      if armed.at <= next { return }
      reactor.cancel(armed.timer)
    }
    let timer = reactor.schedule(at: BootInstant(nanoseconds: next * Wheel.slot)) { [unowned self] in turn() }
    armed = (timer, next)
  }

  private func turn() {
    armed = nil
    let due = BootInstant.now.nanoseconds / Wheel.slot
    var left = Wheel.portion
    while left > 0, let slot = order.first, slot <= due {
      // Taken out of the table to be its only owner: otherwise each portion would copy the rest.
      guard var events = slots.removeValue(forKey: slot) else { preconditionFailure("an empty slot in the order") }
      let taking = min(left, events.count)
      let now = Array(events.suffix(taking))
      if taking == events.count {
        pop()
      } else {
        events.removeLast(taking)
        slots[slot] = events
      }
      left -= taking
      count -= taking
      for packed in now { handler(Event(kind: Kind(rawValue: UInt8(packed & 0xFF))!, index: Int(packed >> 8))) }
    }
    arm()
  }

  private func push(_ slot: Int64) {
    order.append(slot)
    var child = order.count - 1
    while child > 0, order[child] < order[(child - 1) / 2] {
      order.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  private func pop() {
    order.swapAt(0, order.count - 1)
    order.removeLast()
    var parent = 0
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < order.count && order[child] < order[least] {
        least = child
      }
      if least == parent { return }
      order.swapAt(parent, least)
      parent = least
    }
  }
}
