import Domain
import JSON

/// What an account's webhook says, for the fields that change how we send.
public enum AccountMeaning: Sendable, Hashable {
  /// `event` is Meta's word: APPROVED, PAUSED, DISABLED, REINSTATED, …; `title` refines a pause (FIRST_PAUSE, UNPAUSE,
  /// …).
  case templateStatus(TemplateReference, event: String, reason: String?, title: String?)
  case templateQuality(TemplateReference, previous: Quality, now: Quality)
  /// `coming`: announced for 24 hours from now; else in force.
  case templateCategory(TemplateReference, category: Category, coming: Bool)
  /// Despite the field's name it tells no quality: THROUGHPUT_UPGRADE, ONBOARDING, FLAGGED, ….
  case numberEvent(display: String, event: String, tier: MessagingTier?)
  case portfolioTier(MessagingTier)
  case accountEvent(event: String, restrictions: [Restriction], banState: String?, violation: String?)
  case alert(severity: String, status: String, type: String, entityType: String, entityID: String)
  case numberName(display: String, decision: String)
  /// PIN_CHANGED, PIN_RESET_REQUEST, …: somebody touches the number's registration.
  case security(display: String, event: String)
  case other

  public struct TemplateReference: Sendable, Hashable {
    public let id: String
    public let name: String
    /// With an underscore, whatever Meta wrote: `en_US`.
    public let language: String

    public init(id: String, name: String, language: String) {
      (self.id, self.name, self.language) = (id, name, language)
    }
  }

  public struct Restriction: Sendable, Hashable {
    /// RESTRICTED_BIZ_INITIATED_MESSAGING and others.
    public let type: String
    public let until: Instant?

    public init(type: String, until: Instant?) { (self.type, self.until) = (type, until) }
  }
}

extension AccountChange {
  public var meaning: AccountMeaning {
    switch field {
    case "message_template_status_update":
      guard let template, let event = text("event") else { return .other }
      let reason = text("reason").flatMap { $0 == "NONE" ? nil : $0 }
      return .templateStatus(template, event: event, reason: reason, title: value["other_info"]?["title"]?.stringValue)
    case "message_template_quality_update":
      guard let template, let now = text("new_quality_score") else { return .other }
      return .templateQuality(
        template, previous: Quality(meta: text("previous_quality_score")), now: Quality(meta: now))
    case "template_category_update":
      guard let template else { return .other }
      // Announced: `correct_category` is what it will be, `new_category` what it still is.
      if let correct = category("correct_category") {
        return .templateCategory(template, category: correct, coming: true)
      }
      return category("new_category").map { .templateCategory(template, category: $0, coming: false) } ?? .other
    case "phone_number_quality_update":
      guard let event = text("event") else { return .other }
      let tier = (value["max_daily_conversations_per_business"] ?? value["current_limit"]).map { MessagingTier($0) }
      return .numberEvent(display: display, event: event, tier: tier)
    case "business_capability_update":
      let tier = value["max_daily_conversations_per_business"] ?? value["max_daily_conversation_per_phone"]
      return tier.map { .portfolioTier(MessagingTier($0)) } ?? .other
    case "account_update":
      guard let event = text("event") else { return .other }
      let restrictions = (value["restriction_info"]?.arrayValue ?? []).compactMap { item in
        item["restriction_type"]?.stringValue.map {
          AccountMeaning.Restriction(type: $0, until: item["expiration"]?.int64Value.map { Instant(seconds: $0) })
        }
      }
      return .accountEvent(
        event: event, restrictions: restrictions, banState: value["ban_info"]?["waba_ban_state"]?.stringValue,
        violation: value["violation_info"]?["violation_type"]?.stringValue)
    case "account_alerts":
      // The details stand in an object of their own in newer webhooks, beside the entity in older ones.
      let info = value["alert_info"] ?? value
      guard let type = info["alert_type"]?.stringValue else { return .other }
      return .alert(
        severity: info["alert_severity"]?.stringValue ?? "", status: info["alert_status"]?.stringValue ?? "",
        type: type,
        entityType: text("entity_type") ?? "", entityID: value["entity_id"]?.textValue ?? "")
    case "phone_number_name_update":
      return text("decision").map { .numberName(display: display, decision: $0) } ?? .other
    case "security": return text("event").map { .security(display: display, event: $0) } ?? .other
    default: return .other
    }
  }

  private func text(_ name: String) -> String? { value[name]?.stringValue }
  private var display: String { value["display_phone_number"]?.textValue ?? "" }
  private func category(_ name: String) -> Category? { text(name).flatMap { Category(word: $0.lowercased()) } }

  private var template: AccountMeaning.TemplateReference? {
    guard let id = value["message_template_id"]?.textValue else { return nil }
    let language = text("message_template_language") ?? ""
    return AccountMeaning.TemplateReference(
      id: id, name: text("message_template_name") ?? "", language: String(language.map { $0 == "-" ? "_" : $0 }))
  }
}

extension JSONValue {
  /// A string, or a number's digits: ids come as either.
  var textValue: String? { stringValue ?? int64Value.map { String($0) } }
}

/// Meta's rating of a number or a template.
public enum Quality: Int16, Word {
  /// Not rated (yet), or a word we don't know.
  case unknown = 0
  case green = 1
  case yellow = 2
  case red = 3
  public var word: String { "\(self)" }

  init(meta text: String?) { self = text.flatMap { Quality(word: $0.lowercased()) } ?? .unknown }
}

/// How many people a portfolio's templates may reach in 24 hours.
public enum MessagingTier: Sendable, Hashable {
  case people(Int)
  case unlimited
  /// Nothing, or a word we don't know.
  case unknown

  /// Reads `TIER_2K`, `TIER_UNLIMITED`, and plain numbers, where -1 is unlimited.
  init(_ value: JSONValue) {
    if let count = value.int64Value {
      self = count < 0 ? .unlimited : .people(Int(count))
    } else {
      self.init(meta: value.stringValue)
    }
  }

  /// People per 24 hours, as the record keeps it.
  public var word: String {
    switch self {
    case .people(let count): String(count)
    case .unlimited: "unlimited"
    case .unknown: ""
    }
  }

  public init(meta text: String?) {
    guard var rest = text?.uppercased()[...] else {
      self = .unknown
      return
    }
    if rest.hasPrefix("TIER_") { rest = rest.dropFirst(5) }
    if rest == "UNLIMITED" {
      self = .unlimited
      return
    }
    let thousands = rest.hasSuffix("K")
    if thousands { rest = rest.dropLast() }
    self = Int(rest).map { .people(thousands ? $0 * 1000 : $0) } ?? .unknown
  }
}
