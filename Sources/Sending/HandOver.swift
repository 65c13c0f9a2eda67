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
    case accepted(wamid: String)
    case heldByMeta(wamid: String)
    /// Bytes may have left and Meta's word is missing or in doubt. Never repeated; its receipt decides.
    case unknown(code: Int32)
    case refused(code: Int32, Handling)
  }

  /// What a documented refusal asks of the lane.
  enum Handling: Equatable {
    /// The number sent too fast: slow down, the person waits a moment.
    case throttled
    /// This person was written to too often by this number: the person waits.
    case pair
    /// Meta's trouble, before acceptance: the same attempt again.
    case transient
    /// This person can't be reached or may not be written to.
    case final
    /// Our request was wrong.
    case ourFault
    /// Nobody may be written to in this scope until somebody acts; the person goes back to the queue.
    case halts(PauseScope)
  }

  static func ending(of result: SendResult) -> Ending {
    switch result {
    case .notWritten(let reason): .notSent(reason: reason)
    case .accepted(let wamid, _, _): .known(.accepted(wamid: wamid))
    case .heldByMeta(let wamid, _, _): .known(.heldByMeta(wamid: wamid))
    case .maybe(let error): .known(.unknown(code: Int32(clamping: error?.code ?? 0)))
    case .refused(let error): .known(.refused(code: Int32(clamping: error.code), handling(of: error.entry)))
    }
  }

  static func handling(of entry: ErrorEntry) -> Handling {
    switch entry.errorClass {
    case .throttleNumber: .throttled
    case .throttlePair: .pair
    case .transient, .throttleAccount: .transient
    case .holdPerson, .recipient, .optedOut: .final
    case .request, .operations, .unclassified: .ourFault
    case .pauseNumber: .halts(.number)
    case .pauseAccount: .halts(.portfolio)
    case .pauseTemplate: .halts(.template)
    case .authorization: .halts(.token)
    case .billing: .halts(.account)
    }
  }
}
