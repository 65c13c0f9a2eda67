/// One attempt to write to one recipient: the key that travels in `biz_opaque_callback_data` and comes back in each
/// receipt (Meta: at most 512 characters, not interpreted, echoed in `statuses[]`).
public struct MessageKey: Hashable, Comparable, Sendable {
  public let campaign: Campaign.ID
  /// The recipient's place in the campaign's frozen order, from 1.
  public let seq: Int64
  /// From 1.
  public let attempt: Int16

  public init(campaign: Campaign.ID, seq: Int64, attempt: Int16) {
    (self.campaign, self.seq, self.attempt) = (campaign, seq, attempt)
  }

  /// `q:<installation>:<campaign>:<seq>:<attempt>`. The installation keeps a staging system's receipts apart.
  public func callbackData(installation: String) -> String {
    "q:\(installation):\(campaign.rawValue):\(seq):\(attempt)"
  }

  /// Nil when the text is not ours: another installation's, another product's, or broken.
  public init?(callbackData text: String, installation: String) {
    let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count == 5, parts[0].elementsEqual("q".utf8), parts[1].elementsEqual(installation.utf8),
      let campaign = MessageKey.number(parts[2]), let seq = MessageKey.number(parts[3]),
      let attempt = MessageKey.number(parts[4]), seq > 0, attempt > 0, attempt <= Int64(Int16.max)
    else { return nil }
    self.init(campaign: Campaign.ID(campaign), seq: seq, attempt: Int16(attempt))
  }

  private static func number(_ bytes: Substring.UTF8View) -> Int64? {
    guard (1...19).contains(bytes.count) else { return nil }
    var value: Int64 = 0
    for byte in bytes {
      guard byte >= 0x30, byte <= 0x39 else { return nil }
      let (product, over) = value.multipliedReportingOverflow(by: 10)
      let (sum, overSum) = product.addingReportingOverflow(Int64(byte - 0x30))
      guard !over, !overSum else { return nil }
      value = sum
    }
    return value
  }

  public static func < (a: MessageKey, b: MessageKey) -> Bool {
    (a.campaign, a.seq, a.attempt) < (b.campaign, b.seq, b.attempt)
  }
}
