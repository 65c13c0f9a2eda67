import Domain
import HTTPClient
import JSON

/// How one hand-over to Meta ended.
public enum SendResult: Sendable, Hashable {
  /// Meta took it; whether it arrives, its receipts tell. `waID` may differ from the phone we gave.
  case accepted(wamid: String, waID: String?, userID: String?)
  /// Meta took it and holds it while it checks the template's quality.
  case heldByMeta(wamid: String, waID: String?, userID: String?)
  /// Refused before acceptance: sending it again, where the error's class allows that, can't double it.
  case refused(MetaError)
  /// Meta may have taken it. Settled by a receipt, never by a resend.
  case maybe(MetaError?)
  /// No byte left this machine. The reason is a constant word (`HTTPFailure`).
  case notWritten(String)

  /// The fact to record; nil when nothing was handed over.
  public var outcome: Outcome? {
    switch self {
    case .accepted: .accepted
    case .heldByMeta: .heldByMeta
    case .refused: .rejected
    case .maybe: .unknown
    case .notWritten: nil
    }
  }
}

/// Reads Meta's answers to `POST /messages`. Not Sendable: one per thread, because it reuses its parser.
public final class SendAnswerReader {
  private let reader = JSONReader(sizeLimit: 1 << 20)

  public init() {}

  public func read(_ result: Result<HTTPAnswer, HTTPFailure>) -> SendResult {
    switch result {
    case .success(let answer): read(status: answer.status, body: answer.body)
    case .failure(.neverWritten(let reason)): .notWritten(reason)
    case .failure(.unanswered): .maybe(nil)
    }
  }

  public func read(status: Int, body: [UInt8]) -> SendResult {
    do {
      return try reader.read(body) { root in
        if let error = root["error"].flatMap({ MetaError($0, httpStatus: status) }) {
          return error.entry.accepted == .no ? .refused(error) : .maybe(error)
        }
        guard (200..<300).contains(status) else { return .maybe(nil) }
        return SendAnswerReader.acceptance(root) ?? .maybe(nil)
      }
    } catch {
      // No JSON: a proxy's page, or an answer cut short. Nobody knows how far the request came.
      return .maybe(nil)
    }
  }

  private static func acceptance(_ root: JSONElement) -> SendResult? {
    guard let message = root["messages"]?.first, let wamid = message["id"]?.string, !wamid.isEmpty else { return nil }
    let contact = root["contacts"]?.first
    let (waID, userID) = (contact?["wa_id"]?.tolerantString, contact?["user_id"]?.string)
    switch message["message_status"]?.string {
    case "held_for_quality_assessment", "paused": return .heldByMeta(wamid: wamid, waID: waID, userID: userID)
    default: return .accepted(wamid: wamid, waID: waID, userID: userID)
    }
  }
}

extension JSONElement {
  /// An array's first member.
  var first: JSONElement? {
    var found: JSONElement?
    forEach { if found == nil { found = $0 } }
    return found
  }
}
