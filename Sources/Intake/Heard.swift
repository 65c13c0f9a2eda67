import Domain
import JSON
import Postgres
import Store

/// What bodies say that must hold from their commit on: words of consent with what follows from them, and notices of
/// accounts.
struct Heard: Sendable {
  var words: [Consents.Word] = []
  /// Who stopped, so that the campaign which caused it is known.
  var stoppers: [Tallies.Stopper] = []
  var notices: [Notices.Notice] = []
  var owed: [Replies.Owed] = []
  var tasks: [ConsentTasks.New] = []
  /// Answers to campaigns that are no words of consent.
  var responses: [Responses.Response] = []
  /// Who wrote to which number: for a day they may be answered.
  var windows: [ServiceWindows.Opened] = []
  /// People who said start: their contacts become marketable again.
  var optIns: [(person: Person, at: Instant)] = []

  var isEmpty: Bool {
    words.isEmpty && stoppers.isEmpty && notices.isEmpty && owed.isEmpty && tasks.isEmpty && windows.isEmpty
      && responses.isEmpty && optIns.isEmpty
  }

  mutating func add(_ other: Heard) {
    words += other.words
    stoppers += other.stoppers
    notices += other.notices
    owed += other.owed
    tasks += other.tasks
    windows += other.windows
    responses += other.responses
    optIns += other.optIns
  }

  /// In the order that matters: what is owed is judged by what stood before these words.
  func statements(business: Business.ID) -> [Statement] {
    var statements: [Statement] = []
    if !stoppers.isEmpty { statements.append(Tallies.stops(stoppers, business: business)) }
    if !owed.isEmpty { statements.append(Replies.owing(owed, business: business)) }
    if !words.isEmpty { statements.append(Consents.recording(words, business: business)) }
    if !windows.isEmpty { statements.append(ServiceWindows.opening(windows, business: business)) }
    if !responses.isEmpty { statements.append(Responses.recording(responses, business: business)) }
    if !tasks.isEmpty { statements.append(ConsentTasks.opening(tasks, business: business)) }
    for optIn in optIns {
      statements.append(Consents.optIn(optIn.person, source: "message", at: optIn.at, business: business))
    }
    return statements + Notices.statements(notices)
  }
}
