import Domain
import JSON

/// What Meta's insights say of one template's messages on one day (UTC). Approximate by Meta's own word; readings and
/// clicks are counted for seven days.
public struct TemplatePoint: Sendable, Hashable {
  /// A press of one button, or an opened link; `unique` words count people.
  public struct Clicks: Sendable, Hashable {
    /// `quick_reply_button`, `url_button`, `unique_url_button`, …, in Meta's words.
    public let type: String
    public let button: String
    public let count: Int64
  }

  public let templateID: String
  public let start: Instant
  public let sent: Int64
  public let delivered: Int64
  public let read: Int64
  public let clicks: [Clicks]
  /// In the account's currency; nil where Meta tells none.
  public let cost: Amount?

  init?(_ node: JSONValue) {
    guard let id = node["template_id"]?.textValue, let start = node["start"]?.int64Value else { return nil }
    (templateID, self.start) = (id, Instant(seconds: start))
    (sent, delivered) = (node["sent"]?.int64Value ?? 0, node["delivered"]?.int64Value ?? 0)
    read = node["read"]?.int64Value ?? 0
    clicks = (node["clicked"]?.arrayValue ?? []).compactMap { click in
      guard let type = click["type"]?.stringValue, let count = click["count"]?.int64Value else { return nil }
      return Clicks(type: type.lowercased(), button: click["button_content"]?.stringValue ?? "", count: count)
    }
    let spent = node["cost"]?.arrayValue?.first { $0["type"]?.stringValue == "amount_spent" }?["value"]
    if case .number(let text)? = spent { cost = Amount(plain: text) } else { cost = nil }
  }
}
