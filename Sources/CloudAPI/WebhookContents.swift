import Domain
import JSON

/// What a webhook's body is about, for whoever only passes it on: whose accounts, and whether people or receipts speak.
public struct WebhookContents: Sendable, Equatable {
  /// Meta's ids of the accounts (WABA) that it names.
  public var accounts: Set<String> = []
  public var hasMessages = false
  public var hasStatuses = false

  /// Nil for what is no webhook.
  public init?(_ body: [UInt8]) {
    guard let root = WebhookContents.parsed(body), let entries = root["entry"]?.arrayValue else { return nil }
    for entry in entries {
      if let id = entry["id"]?.stringValue { accounts.insert(id) }
      for change in entry["changes"]?.arrayValue ?? [] {
        hasMessages = hasMessages || change["value"]?["messages"]?.arrayValue?.isEmpty == false
        hasStatuses = hasStatuses || change["value"]?["statuses"]?.arrayValue?.isEmpty == false
      }
    }
  }

  private static func parsed(_ body: [UInt8]) -> JSONValue? {
    do { return try JSONValue(parsing: body, sizeLimit: 4 << 20) } catch {
      // A text that was cut inside an emoji.
      guard let repaired = SurrogateRepair.repaired(body) else { return nil }
      do { return try JSONValue(parsing: repaired, sizeLimit: 4 << 20) } catch { return nil }
    }
  }
}
