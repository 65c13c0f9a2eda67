import CloudAPI
import Domain

/// Reads what came of a hand-over. Three outcomes: accepted, rejected, unknown; and "never left", which is none of them.
enum HandOver {
  enum Ending {
    /// No byte left: the attempt has not been made.
    case notSent(reason: String)
    case known(Known)
  }

  enum Known {
    /// `waID`: under which name Meta knows the person; it may be another than the phone we gave.
    case accepted(wamid: String, waID: String?)
    case heldByMeta(wamid: String, waID: String?)
    /// Bytes may have left and Meta's word is missing or in doubt. Never repeated; its receipt decides.
    case unknown(code: Int32)
    case refused(code: Int32, Handling)
  }

  /// What a documented refusal asks of the lane. The first six cost time and nothing else: the same attempt goes again.
  enum Handling: Equatable {
    /// The number sent too fast: its rate is halved, the person waits a moment.
    case slowNumber(wait: Duration)
    /// This number wrote to this person too often: all its campaigns leave the person alone for 4^X seconds.
    case holdPair
    /// Meta's trouble, before acceptance: the person waits longer each time, the lane takes a breath that grows.
    case retry(wait: Duration)
    /// Nothing of this number can work for a while: the lane rests.
    case restNumber(Duration)
    /// Nothing of this template can work for a while: its campaigns rest.
    case restTemplate(Duration)
    /// Nobody may be written to in this scope until somebody acts; the person goes back to the queue.
    case halts(PauseScope)
    /// This attempt is over; the person may be tried again after so long.
    case holdPerson(Duration)
    /// This person can't be reached or may not be written to.
    case final
    /// And wants no offers any more.
    case optedOut
    /// Our request was wrong.
    case ourFault
  }

  static func ending(of result: SendResult) -> Ending {
    switch result {
    case .notWritten(let reason): .notSent(reason: reason)
    case .accepted(let wamid, let waID, _): .known(.accepted(wamid: wamid, waID: waID))
    case .heldByMeta(let wamid, let waID, _): .known(.heldByMeta(wamid: wamid, waID: waID))
    case .maybe(let error): .known(.unknown(code: Int32(clamping: error?.code ?? 0)))
    case .refused(let error): .known(.refused(code: Int32(clamping: error.code), handling(of: error.entry)))
    }
  }

  static func handling(of entry: ErrorEntry) -> Handling {
    switch entry.errorClass {
    case .throttleNumber: .slowNumber(wait: entry.wait ?? .seconds(1))
    case .throttlePair: .holdPair
    case .transient: .retry(wait: entry.wait ?? .seconds(5))
    case .restNumber, .throttleAccount: .restNumber(entry.wait ?? .seconds(60))
    case .holdPerson: .holdPerson(entry.wait ?? .seconds(86_400))
    case .recipient: .final
    case .optedOut: .optedOut
    case .request, .operations, .unclassified: .ourFault
    case .pauseNumber: .halts(.number)
    case .pauseAccount: .halts(.portfolio)
    // Where Meta states a time the template works again by itself.
    case .pauseTemplate: entry.wait.map { .restTemplate($0) } ?? .halts(.template)
    case .authorization: .halts(.token)
    case .billing: .halts(.account)
    }
  }
}
