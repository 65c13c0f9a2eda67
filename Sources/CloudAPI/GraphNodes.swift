import Domain
import JSON

/// A business phone number as Meta sees it.
public struct PhoneNode: Sendable, Hashable {
  public let id: String
  /// As Meta shows it; the spelling varies.
  public let display: String
  /// Read from `display`; nil when its digits are no phone number.
  public let phone: PhoneNumber?
  public let verifiedName: String?
  public let quality: Quality
  public let tier: MessagingTier
  /// Messages per second by Meta's throughput level; nil when it names none. Coexistence numbers have 20 and say
  /// STANDARD.
  public let messagesPerSecond: Int?
  /// CONNECTED, PENDING, FLAGGED, RESTRICTED, BANNED, … in Meta's words.
  public let status: String?
  public let nameStatus: String?
  public let codeVerification: String?
  /// CLOUD_API once it is registered.
  public let platform: String?
  public let health: Health?

  /// Only these send; a word we don't know is left to `health`.
  public var isConnected: Bool { status == nil || status == "CONNECTED" || status == "FLAGGED" }

  public struct Health: Sendable, Hashable {
    public enum CanSend: Int16, Word {
      case available = 1
      case limited = 2
      case blocked = 3
      case unknown = 4
      public var word: String { "\(self)" }
      init(meta text: String?) { self = text.flatMap { CanSend(word: $0.lowercased()) } ?? .unknown }
    }
    public struct Entity: Sendable, Hashable {
      /// PHONE_NUMBER, WABA, BUSINESS, APP.
      public let type: String
      public let id: String
      public let canSend: CanSend
      public let errorCodes: [Int]
    }
    /// The worst of the chain.
    public let canSend: CanSend
    public let entities: [Entity]
  }

  static let fields =
    "id,display_phone_number,verified_name,quality_rating,whatsapp_business_manager_messaging_limit,throughput,status,"
    + "code_verification_status,name_status,platform_type,health_status"

  init?(_ node: JSONValue) {
    guard let id = node["id"]?.textValue else { return nil }
    self.id = id
    display = node["display_phone_number"]?.textValue ?? ""
    phone = PhoneNumber(e164: String(display.filter { $0.isASCII && $0.isNumber }))
    verifiedName = node["verified_name"]?.stringValue
    quality = Quality(meta: node["quality_score"]?["score"]?.stringValue ?? node["quality_rating"]?.stringValue)
    let tier = node["whatsapp_business_manager_messaging_limit"] ?? node["messaging_limit_tier"]
    self.tier = tier.map { MessagingTier($0) } ?? .unknown
    messagesPerSecond =
      switch node["throughput"]?["level"]?.stringValue {
      case "STANDARD": 80
      case "HIGH": 1000
      default: nil
      }
    status = node["status"]?.stringValue
    nameStatus = node["name_status"]?.stringValue
    codeVerification = node["code_verification_status"]?.stringValue
    platform = node["platform_type"]?.stringValue
    health = node["health_status"].flatMap { health in
      guard health["can_send_message"] != nil else { return nil }
      let entities = (health["entities"]?.arrayValue ?? []).map { entity in
        Health.Entity(
          type: entity["entity_type"]?.stringValue ?? "", id: entity["id"]?.textValue ?? "",
          canSend: Health.CanSend(meta: entity["can_send_message"]?.stringValue),
          errorCodes: (entity["errors"]?.arrayValue ?? []).compactMap { $0["error_code"]?.int64Value.map(Int.init) })
      }
      return Health(canSend: Health.CanSend(meta: health["can_send_message"]?.stringValue), entities: entities)
    }
  }
}

/// A template as Meta lists it.
public struct TemplateNode: Sendable, Equatable {
  public let id: String
  public let name: String
  public let language: String
  /// APPROVED, PENDING, REJECTED, PAUSED, DISABLED, …; only APPROVED can be sent.
  public let status: String
  public let category: Category?
  public let quality: Quality
  public let rejectedReason: String?
  public let parameterFormat: String?
  /// Kept whole: `TemplateDefinition` reads it.
  public let components: JSONValue
  /// `message_send_ttl_seconds`: how long Meta tries to deliver; nil where none was set.
  public let ttlSeconds: Int?

  public var isSendable: Bool { status == "APPROVED" }

  public func definition() throws(TemplateError) -> TemplateDefinition {
    try TemplateDefinition(name: name, language: language, parameterFormat: parameterFormat, components: components)
  }

  static let fields = "id,name,language,status,category,parameter_format,components,quality_score,rejected_reason"
  /// Of younger versions: where Meta does not know it, the rest is read without.
  static let laterFields = ",message_send_ttl_seconds"

  init?(_ node: JSONValue) {
    guard let id = node["id"]?.textValue, let name = node["name"]?.stringValue,
      let language = node["language"]?.stringValue
    else { return nil }
    (self.id, self.name) = (id, name)
    self.language = String(language.map { $0 == "-" ? "_" : $0 })
    status = node["status"]?.stringValue ?? ""
    category = node["category"]?.stringValue.flatMap { Category(word: $0.lowercased()) }
    quality = Quality(meta: node["quality_score"]?["score"]?.stringValue)
    rejectedReason = node["rejected_reason"]?.stringValue.flatMap { $0 == "NONE" ? nil : $0 }
    parameterFormat = node["parameter_format"]?.stringValue
    components = node["components"] ?? .array([])
    ttlSeconds = node["message_send_ttl_seconds"]?.int64Value.flatMap { $0 > 0 ? Int(clamping: $0) : nil }
  }
}

/// A WhatsApp Business Account as Meta sees it.
public struct AccountNode: Sendable, Hashable {
  public let id: String
  public let name: String?
  public let currency: Currency?
  public let timezoneID: Int?
  /// The IANA zone of `timezoneID`; nil when the id is missing or not documented: the user must give the zone.
  public var zone: String? { timezoneID.flatMap { TimeZones.name(of: $0) } }

  static let fields = "id,name,currency,timezone_id"

  init?(_ node: JSONValue) {
    guard let id = node["id"]?.textValue else { return nil }
    self.id = id
    name = node["name"]?.stringValue
    currency = node["currency"]?.stringValue.flatMap { Currency($0) }
    timezoneID = node["timezone_id"]?.textValue.flatMap { Int($0) }
  }
}

/// One line of what Meta says it charged. Approximate by Meta's own word.
public struct PricingPoint: Sendable, Hashable {
  public let start: Instant
  public let end: Instant
  /// ISO 3166 code of the market's country.
  public let country: String?
  public let phone: PhoneNumber?
  /// `0:750000`, in messages of the month.
  public let tier: String?
  public let type: PricingType?
  public let category: Category?
  public let volume: Int64
  /// In the account's currency; nil for accounts billed to a partner.
  public let cost: Amount?
  /// In a tier above the month's first.
  public var isTiered: Bool { tier.map { !$0.hasPrefix("0:") } ?? false }

  init?(_ node: JSONValue) {
    guard let start = node["start"]?.int64Value, let end = node["end"]?.int64Value else { return nil }
    self.start = Instant(seconds: start)
    self.end = Instant(seconds: end)
    country = node["country"]?.stringValue
    phone = node["phone_number"]?.textValue.flatMap { PhoneNumber(e164: $0) }
    tier = node["tier"]?.stringValue
    type = node["pricing_type"]?.stringValue.flatMap { PricingType(word: $0.lowercased()) }
    category = node["pricing_category"]?.stringValue.flatMap { Category(word: $0.lowercased()) }
    volume = node["volume"]?.int64Value ?? 0
    if case .number(let text)? = node["cost"] { cost = Amount(plain: text) } else { cost = nil }
  }
}

extension Amount {
  /// A JSON number's text, its exponent resolved without a detour through binary. Digits beyond the ninth decimal are
  /// cut: Meta's sums carry the dust of floating point. Nil beyond 20 whole digits.
  init?(plain text: String) {
    let parts = text.lowercased().split(separator: "e", maxSplits: 1)
    guard let mantissa = parts.first, let exponent = parts.count == 2 ? Int(parts[1]) : 0, abs(exponent) < 40 else {
      return nil
    }
    let negative = mantissa.hasPrefix("-")
    let halves = mantissa.drop { $0 == "-" }.split(separator: ".", maxSplits: 1)
    guard let whole = halves.first else { return nil }
    let digits = Array(whole + (halves.count == 2 ? halves[1] : ""))
    let point = whole.count + exponent
    let left =
      point > 0 ? String((digits + Array(repeating: "0", count: max(0, point - digits.count))).prefix(point)) : "0"
    let right = String(repeating: "0", count: max(0, -point)) + String(digits.dropFirst(max(0, point)))
    let decimals = right.prefix(Amount.decimals)
    self.init((negative ? "-" : "") + left + (decimals.isEmpty ? "" : "." + decimals))
  }
}
