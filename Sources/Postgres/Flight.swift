import Reactor

/// Statements that travel together and end in one sync: one implicit transaction.
final class Flight: @unchecked Sendable {
  // @unchecked: after it is handed to the connection only the reactor's thread touches it.

  /// What the server answers to, in the order sent.
  enum Step {
    case prepare(PreparedStatements.Entry)
    case discard
    case statement(PreparedStatements.Entry?)
  }

  enum Content {
    case statements([Statement])
    /// `commit` or `rollback`: sent as it is, so that nothing stands before it that could fail.
    case command(String)
  }

  let content: Content
  /// Whose exclusive turn it belongs to. The first flight of a transaction brings its BEGIN along.
  let turn: Turn?
  /// Set before it is handed over.
  var finished: (Result<[Rows], DatabaseError>) -> Void = { _ in }

  /// Nil until it is handed over: a cancellation may arrive before.
  var submitted: BootInstant?
  var steps: [Step] = []
  var step = 0
  var rows: [Rows] = []
  var failure: DatabaseError?
  var cancelRequested = false
  /// A cancel request for another flight was under way while this one was in flight: it may hit this one.
  var exposed = false
  var isResent = false
  private(set) var isDone = false

  init(_ content: Content, turn: Turn?) { (self.content, self.turn) = (content, turn) }

  func finish(_ result: Result<[Rows], DatabaseError>) {
    precondition(!isDone, "a flight finished twice")
    isDone = true
    finished(result)
  }

  func rewind() {
    (steps, step, rows, failure, exposed, isResent) = ([], 0, [], nil, false, true)
  }
}

/// A claim to have the connection alone: a transaction, a COPY, a script. Granted in line, when all before it are
/// answered.
final class Turn: @unchecked Sendable {
  // @unchecked: as Flight.
  /// What begins its transaction; nil for those that have none.
  let opening: String?
  /// Set before it is handed over.
  var answered: (Result<Turn, DatabaseError>) -> Void = { _ in }
  /// Nil until it is handed over.
  var submitted: BootInstant?
  private(set) var isDone = false
  var cancelRequested = false
  /// The link it was granted on is gone, and with it the transaction.
  var isBroken = false
  /// BEGIN has been sent.
  var hasBegun = false

  init(opening: String? = nil) { self.opening = opening }

  func grant() {
    isDone = true
    answered(.success(self))
  }

  func refuse(_ failure: DatabaseError) {
    isDone = true
    answered(.failure(failure))
  }
}

/// First in, first out, without shifting the rest.
struct FIFO<Element> {
  private var items: [Element?] = []
  private var head = 0

  var count: Int { items.count - head }
  var isEmpty: Bool { count == 0 }
  var first: Element? { isEmpty ? nil : items[head] }
  var all: [Element] { items[head...].map { $0! } }

  mutating func append(_ element: Element) { items.append(element) }

  mutating func popFirst() -> Element? {
    guard head < items.count else { return nil }
    let element = items[head].take()
    head += 1
    if head == items.count {
      items.removeAll(keepingCapacity: true)
      head = 0
    } else if head > 1024, head * 2 > items.count {
      items.removeFirst(head)
      head = 0
    }
    return element
  }

  mutating func removeAll(where isGone: (Element) -> Bool) {
    items = all.filter { !isGone($0) }
    head = 0
  }
}
