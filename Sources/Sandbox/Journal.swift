import Domain
import Population

/// What happened to one POST /messages.
enum Verdict: UInt8 {
  case accepted = 1
  /// Accepted, and held for quality assessment.
  case held = 2
  /// Answered with an error.
  case refused = 3
  /// Closed without an answer before anything was looked at.
  case closedBefore = 4

  var word: StaticString {
    switch self {
    case .accepted: "accepted"
    case .held: "held"
    case .refused: "refused"
    case .closedBefore: "closed_before"
    }
  }
  var isAcceptance: Bool { self == .accepted || self == .held }
}

/// One line of the journal, about 80 bytes: a million of them, with their texts, stay near 120 MB.
struct Entry {
  static let sent: UInt8 = 1
  static let delivered: UInt8 = 2
  static let read: UInt8 = 4
  static let failed: UInt8 = 8
  static let billed: UInt8 = 16
  /// `delivered` is never told; `read` carries the price.
  static let skipsDelivered: UInt8 = 32
  /// The answer did not reach the sender as it should (closed, or 131000): still an acceptance.
  static let answerLost: UInt8 = 64
  /// A `delivered` or `read` was not lost.
  static let told: UInt8 = 128

  var boot: Int64
  var wall: Int64
  var to: Int64
  var callbackAt: UInt32 = 0
  var callbackCount: UInt16 = 0
  var payloadCount: UInt16 = 0
  /// Index into the world's numbers.
  var number: UInt16
  /// Index into the world's templates; `UInt16.max` for session messages.
  var template: UInt16
  var verdict: Verdict
  var category: UInt8
  var pricingType: UInt8
  var state: UInt8 = 0
  /// Of a refusal.
  var code: Int32 = 0
  var failure: Int32 = 0
  /// Seconds since 1970.
  var sentAt: UInt32 = 0
  var deliveredAt: UInt32 = 0
  var readAt: UInt32 = 0
}

/// Every message that arrived, in order; what the sums of `GET /sandbox/journal/summary` come from.
final class Journal {
  private(set) var entries = Chunked<Entry>()
  /// Callback data and payloads, end to end.
  private var texts = Chunked<UInt8>()
  private var byCallback = Fingerprints()
  private var byCampaign = Fingerprints()

  private(set) var accepted = 0
  private(set) var held = 0
  private(set) var closedBefore = 0
  private(set) var answersLost = 0
  private(set) var refused: [Int32: Int] = [:]
  /// Acceptances with the same phone and callback data as an earlier one; none that carries no callback data counts.
  private(set) var duplicatesByCallback = 0
  /// Acceptances with the same phone and campaign (the callback's first three parts) as an earlier one.
  private(set) var duplicatesByCampaign = 0
  var sent = 0
  var delivered = 0
  var read = 0
  var failed: [Int32: Int] = [:]

  var count: Int { entries.count }
  subscript(_ index: Int) -> Entry {
    get { entries[index] }
    _modify { yield &entries[index] }
  }

  /// Appends and returns the index.
  func append(_ entry: Entry, callback: [UInt8] = [], payload: [UInt8] = []) -> Int {
    var entry = entry
    entry.callbackAt = UInt32(texts.count)
    entry.callbackCount = UInt16(callback.count)
    entry.payloadCount = UInt16(payload.count)
    for byte in callback { texts.append(byte) }
    for byte in payload { texts.append(byte) }
    entries.append(entry)
    switch entry.verdict {
    case .accepted, .held:
      accepted += 1
      if entry.verdict == .held { held += 1 }
      if !callback.isEmpty {
        let phone = UInt64(bitPattern: entry.to)
        if !byCallback.insert(Journal.hash(callback[...], phone)) { duplicatesByCallback += 1 }
        if let campaign = Journal.campaign(callback), !byCampaign.insert(Journal.hash(campaign, phone)) {
          duplicatesByCampaign += 1
        }
      }
    case .refused: refused[entry.code, default: 0] += 1
    case .closedBefore: closedBefore += 1
    }
    return entries.count - 1
  }

  func loseAnswer(_ index: Int) {
    entries[index].state |= Entry.answerLost
    answersLost += 1
  }

  func callback(_ entry: Entry) -> [UInt8] { text(Int(entry.callbackAt), Int(entry.callbackCount)) }
  func payload(_ entry: Entry) -> [UInt8] {
    text(Int(entry.callbackAt) + Int(entry.callbackCount), Int(entry.payloadCount))
  }
  private func text(_ start: Int, _ count: Int) -> [UInt8] { (start..<(start + count)).map { texts[$0] } }

  /// `q:installation:campaign` of `q:installation:campaign:seq:attempt`; nil for callbacks of another form.
  private static func campaign(_ callback: [UInt8]) -> ArraySlice<UInt8>? {
    var colons = 0
    for (index, byte) in callback.enumerated() where byte == UInt8(ascii: ":") {
      colons += 1
      if colons == 3 { return callback[..<index] }
    }
    return nil
  }

  private static func hash(_ bytes: ArraySlice<UInt8>, _ seed: UInt64) -> UInt64 {
    var hash = Draw.mix(seed &+ UInt64(bytes.count))
    var word: UInt64 = 0
    for (position, byte) in bytes.enumerated() {
      word = word << 8 | UInt64(byte)
      if position & 7 == 7 { hash = Draw.mix(hash ^ word) }
    }
    return Draw.mix(hash ^ word)
  }
}
