import Domain
import Governor

/// Receipts as Meta may send them after a fast campaign: out of order, doubled, for messages nobody knows, and forged;
/// from a seed, and beside them the truth they come from.
///
/// Every third message is received before midnight and read after it, so that a charge booked by the wrong receipt
/// stands on the wrong day.
public struct ReceiptStorm: Sendable {
  public enum Kind: UInt8, Sendable { case sent, delivered, read, failed, foreign, keyless, unknown, forged }

  public struct Event: Hashable, Sendable {
    /// The place in the campaign, from 1.
    public let seq: Int32
    public let kind: Kind
  }

  public let campaign: Campaign.ID
  public let installation: String
  public let phoneNumberID: String
  public let messages: Int
  /// What happened, in order, once.
  public let truth: [Event]
  /// What comes in: shuffled, 30 % doubled, 1 % forged, 1 % of strangers.
  public let events: [Event]

  private let seed: UInt64
  private let midnight: Int64

  /// `midnight`: seconds since 1970; the receipts of the storm lie around it.
  public init(
    campaign: Campaign.ID, installation: String, phoneNumberID: String, messages: Int, seed: UInt64, midnight: Int64
  ) {
    (self.campaign, self.installation, self.phoneNumberID) = (campaign, installation, phoneNumberID)
    (self.messages, self.seed, self.midnight) = (messages, seed, midnight)
    var truth: [Event] = []
    for seq in 1...Int32(messages) {
      truth.append(Event(seq: seq, kind: .sent))
      switch ReceiptStorm.fate(seq, seed) {
      case 0..<7: truth.append(Event(seq: seq, kind: .failed))
      case 7..<12: break
      case 12..<35: truth.append(Event(seq: seq, kind: .delivered))
      case 35..<40: truth.append(Event(seq: seq, kind: .read))  // read at once: `delivered` never comes
      default:
        truth.append(Event(seq: seq, kind: .delivered))
        truth.append(Event(seq: seq, kind: .read))
      }
    }
    self.truth = truth
    var chance = SplitMix64(seed: seed)
    var events = truth
    for event in truth where chance.below(100) < 30 { events.append(event) }
    for _ in 0..<max(1, truth.count / 100) {
      let seq = Int32(chance.within(1...Int64(messages)))
      events.append(Event(seq: seq, kind: [.foreign, .keyless, .unknown][Int(chance.below(3))]))
      // It claims what did not happen, or a forgery taken for true would not show.
      events.append(Event(seq: seq, kind: .forged))
    }
    events.shuffle(using: &chance)
    self.events = events
  }

  /// The events in posts of 1 to `most`; forged ones have posts of their own.
  public func posts(_ events: [Event], most: Int) -> [[Event]] {
    var chance = SplitMix64(seed: seed &+ 1)
    var posts: [[Event]] = []
    var rest = events.filter { $0.kind != .forged }[...]
    while !rest.isEmpty {
      let part = rest.prefix(Int(chance.within(1...Int64(most))))
      posts.append(Array(part))
      rest = rest.dropFirst(part.count)
    }
    for event in events where event.kind == .forged {
      posts.insert([event], at: Int(chance.below(Int64(posts.count + 1))))
    }
    return posts
  }

  /// One webhook's body with a change for each event, half of them as API versions before 24 wrote them.
  public func body(_ events: some Sequence<Event>) -> [UInt8] {
    var text = #"{"object":"whatsapp_business_account","entry":[{"id":"102290129340398","changes":["#
    var isFirst = true
    for event in events {
      if !isFirst { text += "," }
      isFirst = false
      append(event, to: &text)
    }
    text += "]}]}"
    return Array(text.utf8)
  }

  private func append(_ event: Event, to text: inout String) {
    let (seq, isOld) = (event.seq, event.seq % 2 == 0)
    text += #"{"value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"15550783881","#
    text += #""phone_number_id":""#
    text += phoneNumberID
    text += "\"}"
    if event.kind != .failed {
      text += #","contacts":[{"profile":{"name":"Sheena"},"#
      if isOld { text += #""wa_id":"20100000"# + "\(seq)\"," }
      text += #""user_id":"EG.777"# + "\(seq)\"}]"
    }
    text += #","statuses":[{"id":"wamid.S"# + "\(seq)" + #"","status":""# + word(event.kind) + #"","timestamp":""#
    text += "\(time(event))\""
    if isOld { text += #","recipient_id":"20100000"# + "\(seq)\"" } else {
      text += #","recipient_user_id":"EG.777"# + "\(seq)\",\"new_in_v27\":{\"a\":[1]}"
    }
    if let callback = callback(event) { text += #","biz_opaque_callback_data":""# + callback + "\"" }
    switch event.kind {
    case .failed:
      text += #","errors":[{"code":131026,"title":"Message undeliverable","message":"Message undeliverable"}]"#
    case .read: break
    case .sent, .delivered, .foreign, .keyless, .unknown, .forged:
      if isOld { text += #","conversation":{"id":"72b1","origin":{"type":"marketing"}}"# }
      let type = seq % 10 == 0 ? "free_entry_point" : "regular"
      text += #","pricing":{"#
      if isOld { text += #""billable":true,"pricing_model":"PMP","# }
      text += #""type":""# + type + #"","category":"marketing"}"#
    }
    text += #"}]},"field":"messages"}"#
  }

  private func word(_ kind: Kind) -> String {
    switch kind {
    case .sent: "sent"
    case .delivered, .foreign, .keyless, .unknown: "delivered"
    case .read, .forged: "read"
    case .failed: "failed"
    }
  }

  private func callback(_ event: Event) -> String? {
    let key = MessageKey(campaign: campaign, seq: Int64(event.seq), attempt: 1)
    switch event.kind {
    case .keyless: return nil
    case .foreign: return key.callbackData(installation: "anothers")
    case .unknown:
      let beyond = MessageKey(campaign: campaign, seq: Int64(messages) + Int64(event.seq), attempt: 1)
      return beyond.callbackData(installation: installation)
    case .sent, .delivered, .read, .failed, .forged: return key.callbackData(installation: installation)
    }
  }

  private func time(_ event: Event) -> Int64 {
    let start = midnight - 3600 + Int64(event.seq % 3) * 3540
    switch event.kind {
    case .sent: return start
    case .delivered, .foreign, .keyless, .unknown, .failed: return start + 30
    case .read: return start + 120
    case .forged: return start - 86_400
    }
  }

  /// From 0 to 99.
  private static func fate(_ seq: Int32, _ seed: UInt64) -> Int {
    var chance = SplitMix64(seed: seed ^ UInt64(seq) &* 0x9E37_79B9)
    return Int(chance.below(100))
  }
}
