import Domain
import HTTPServer
import JSON
import Population

/// What the double plays: its accounts, its people, how its receipts come.
///
/// A JSON file overrides the defaults (`init(json:)`); `people` is described in People.swift.
public struct SandboxSettings: Sendable {
  public struct Number: Sendable {
    /// Meta's phone_number_id.
    public var id: String
    public var displayNumber: String
    public var verifiedName = "Sandbox"
    /// Messages in any second, beyond which 130429 is answered.
    public var throughput = 80
    /// TIER_250, TIER_2K, TIER_10K, TIER_100K, TIER_UNLIMITED: of the portfolio, read from the first number.
    public var tier = "TIER_UNLIMITED"
    public var quality = "GREEN"
    public var status = "CONNECTED"

    public init(id: String, displayNumber: String, throughput: Int = 80) {
      (self.id, self.displayNumber, self.throughput) = (id, displayNumber, throughput)
    }
  }

  /// Above so many messages of a month, charged to the whole portfolio, one more costs less.
  public struct VolumeTier: Sendable {
    /// As the price list names it.
    public var market: String
    /// `utility` or `authentication`.
    public var category: String
    public var above: Int64
    /// Millionths of the currency's unit.
    public var price: Int64

    public init(market: String, category: String, above: Int64, price: Int64) {
      (self.market, self.category, self.above, self.price) = (market, category, above, price)
    }
  }

  public struct Account: Sendable {
    /// The WABA's id.
    public var id: String
    public var name = "Sandbox"
    public var currency = "USD"
    /// Meta's number of the zone; 53 is Africa/Cairo.
    public var timezoneID = 53
    /// Where days of the bill begin: the zone's offset from UTC, without summer time, so that the double needs no
    /// zones.
    public var utcOffsetMinutes = 120
    public var volumeTiers: [VolumeTier] = []
    public var accessToken = "sandbox-token"
    /// Without a subscription no webhook is sent, as at Meta. POST /{WABA}/subscribed_apps makes one.
    public var isSubscribed = true
    public var numbers: [Number]
    /// In the shape of GET /{WABA}/message_templates; `id`, `status`, `category`, `quality_score` may be left out. A
    /// member `sandbox: {"pacing": {"after": 100, "hold_ms": 60000, "outcome": "release"|"pause"}}` makes Meta hold
    /// messages.
    public var templates: [JSONValue]

    public init(id: String, numbers: [Number], templates: [JSONValue] = SandboxSettings.standardTemplates) {
      (self.id, self.numbers, self.templates) = (id, numbers, templates)
    }
  }

  public struct Receipts: Sendable {
    public var on = true
    /// Changes in one webhook, 1 to 1000.
    public var batch = 100
    /// How long the first change of a batch waits for others.
    public var flushDelay: Duration = .milliseconds(50)
    /// Webhooks under way at the same time; more than one lets them overtake each other.
    public var inFlight = 4
    /// Multiplies every delay of people and of Meta: 0.01 makes a day a quarter of an hour.
    public var delayScale = 1.0
    /// The share of receipts that come late, after their successors.
    public var disorderRate = 0.03
    /// The share of receipts that come twice.
    public var duplicateRate = 0.02
    /// The share of messages whose `delivered` never comes because `read` came at once.
    public var skippedDeliveredRate = 0.02
    /// First wait after an answer that is not 200; doubles up to a minute. At Meta it goes on for seven days.
    public var retryDelay: Duration = .seconds(1)
    /// Bytes of webhooks that wait; beyond them the newest are dropped, counted and said on standard error.
    public var maxQueueBytes = 64 << 20

    public init() {}
  }

  public var address = "127.0.0.1"
  public var port: UInt16 = 0
  /// Speaks TLS, as Meta does; nil: plain.
  public var identity: HTTPServerSettings.Identity?
  public var seed: UInt64 = 1
  public var appSecret = "sandbox-app-secret"
  public var verifyToken = "sandbox-verify-token"
  /// Where webhooks go; nil keeps them in until POST /sandbox/webhook says where.
  public var webhookURL: String?
  /// How long an answer takes.
  public var latency: Duration = .zero
  public var receipts = Receipts()
  public var people = PeopleModel()
  /// Refuses templates to more people in 24 hours than the portfolio's tier allows.
  public var enforcesTier = true
  /// All belong to one portfolio.
  public var accounts = [
    Account(id: "102290129340398", numbers: [Number(id: "106540352242922", displayNumber: "+20 10 9000 0000")])
  ]

  public init() {}

  /// An Arabic marketing template with a stop button, an English one, a utility one, an authentication one.
  public static let standardTemplates: [JSONValue] = {
    let text = #"""
      [{"name":"ramadan_offer","language":"ar","category":"MARKETING","components":[
        {"type":"BODY","text":"مرحبًا {{1}}، خصم {{2}} على كل المنتجات حتى نهاية رمضان.",
         "example":{"body_text":[["عميلنا العزيز","20%"]]}},
        {"type":"FOOTER","text":"متجر التجربة"},
        {"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"إيقاف العروض"}]}]},
       {"name":"spring_offer","language":"en","category":"MARKETING","components":[
        {"type":"HEADER","format":"TEXT","text":"Spring sale"},
        {"type":"BODY","text":"Hello {{1}}, {{2}} off everything this week.","example":{"body_text":[["Sara","20%"]]}},
        {"type":"BUTTONS","buttons":[{"type":"QUICK_REPLY","text":"Stop promotions"},
         {"type":"URL","text":"Shop","url":"https://shop.example/{{1}}","example":["https://shop.example/spring"]}]}]},
       {"name":"order_update","language":"ar","category":"UTILITY","components":[
        {"type":"BODY","text":"طلبك رقم {{1}} خرج للتوصيل.","example":{"body_text":[["860198"]]}}]},
       {"name":"order_update","language":"en_US","category":"UTILITY","components":[
        {"type":"BODY","text":"Your order {{1}} is on its way.","example":{"body_text":[["860198"]]}}]},
       {"name":"login_code","language":"ar","category":"AUTHENTICATION","components":[
        {"type":"BODY","text":"{{1}} هو رمز التحقق الخاص بك.","example":{"body_text":[["123456"]]}},
        {"type":"BUTTONS","buttons":[{"type":"URL","text":"نسخ الرمز",
         "url":"https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp{{1}}",
         "example":["https://www.whatsapp.com/otp/code/?otp_type=COPY_CODE&code=otp123456"]}]}]}]
      """#
    guard let list = try? JSONValue(parsing: Array(text.utf8)), let templates = list.arrayValue else {
      preconditionFailure("the standard templates are not JSON")
    }
    return templates
  }()
}

/// What is wrong with a configuration, by the path of the member.
public struct SandboxSettingsError: Error, Equatable, CustomStringConvertible {
  public let path: String
  public let reason: String
  public var description: String { path.isEmpty ? reason : "\(path): \(reason)" }
}
