import Domain
import JSON

/// One thing that Meta tells in a webhook.
public enum WebhookEvent: Sendable, Equatable {
  case status(StatusReceipt)
  case inbound(InboundMessage)
  case preference(MarketingPreference)
  /// Anything about an account, a number or a template: `AccountChange.meaning` says what.
  case account(AccountChange)
  /// An error that belongs to no message.
  case failure(wabaID: String, phoneNumberID: String?, MetaError)
  /// A field that Qafila has no use for; its value is not looked at.
  case ignored(wabaID: String, field: String)
  /// A part that could not be read, or of a kind we don't know: counted and kept raw, never fatal to the rest.
  case unreadable(wabaID: String, field: String, reason: String)
}

/// What happened to a message we sent. At-least-once, in any order.
public struct StatusReceipt: Sendable, Equatable {
  public var wabaID: String
  public var phoneNumberID: String?
  /// Meta's id of the message.
  public var wamid: String
  /// Our `biz_opaque_callback_data`; nil when the message carried none.
  public var callback: String?
  public var standing: Standing
  public var timestamp: Instant
  /// Missing for people with a user name whom Meta does not show.
  public var recipient: PhoneNumber?
  public var recipientUserID: String?
  public var pricing: ReceiptPricing?
  /// Of the first error; only with `failed`.
  public var error: MetaError?

  public init(
    wabaID: String, phoneNumberID: String?, wamid: String, callback: String?, standing: Standing, timestamp: Instant,
    recipient: PhoneNumber? = nil, recipientUserID: String? = nil, pricing: ReceiptPricing? = nil,
    error: MetaError? = nil
  ) {
    (self.wabaID, self.phoneNumberID, self.wamid, self.callback) = (wabaID, phoneNumberID, wamid, callback)
    (self.standing, self.timestamp, self.recipient) = (standing, timestamp, recipient)
    (self.recipientUserID, self.pricing, self.error) = (recipientUserID, pricing, error)
  }
}

/// What Meta says it charges by. It never says how much.
public struct ReceiptPricing: Sendable, Hashable {
  /// To be removed by Meta: `type` and `category` decide.
  public var billable: Bool?
  /// Nil when missing or unknown.
  public var category: Category?
  public var type: PricingType?
  /// A category or type that we don't know.
  public var unknownWord: String?

  public init(
    billable: Bool? = nil, category: Category? = nil, type: PricingType? = nil, unknownWord: String? = nil
  ) {
    (self.billable, self.category, self.type, self.unknownWord) = (billable, category, type, unknownWord)
  }
}

/// What somebody wrote to one of our numbers.
public struct InboundMessage: Sendable, Equatable {
  public enum Kind: String, Sendable, Hashable { case text, button, interactive, reaction, system, unsupported, other }

  public var wabaID: String
  public var phoneNumberID: String?
  public var id: String
  public var from: PhoneNumber?
  public var fromUserID: String?
  /// Meta's id of the message of ours that this answers.
  public var contextID: String?
  public var kind: Kind
  /// What the person wrote, or the label of the button pressed, or a caption.
  public var text: String?
  /// What we put into the button.
  public var payload: String?
  public var timestamp: Instant
  /// With `system`: the phone or user id that the person has now.
  public var newPhone: PhoneNumber?
  public var newUserID: String?

  public init(
    wabaID: String, phoneNumberID: String?, id: String, from: PhoneNumber?, fromUserID: String? = nil,
    contextID: String? = nil, kind: Kind, text: String? = nil, payload: String? = nil, timestamp: Instant,
    newPhone: PhoneNumber? = nil, newUserID: String? = nil
  ) {
    (self.wabaID, self.phoneNumberID, self.id, self.from) = (wabaID, phoneNumberID, id, from)
    (self.fromUserID, self.contextID, self.kind, self.text) = (fromUserID, contextID, kind, text)
    (self.payload, self.timestamp, self.newPhone, self.newUserID) = (payload, timestamp, newPhone, newUserID)
  }

  /// Whether it opens the 24 hours in which the person may be answered: somebody wrote, sent a file or pressed a button. A
  /// reaction, a changed phone and what Meta can't show us are not counted on.
  public var opensWindow: Bool {
    switch kind {
    case .text, .button, .interactive, .other: true
    case .reaction, .system, .unsupported: false
    }
  }

  /// Our key, when the button pressed was a stop button of ours.
  public var stopCallback: String? {
    guard let payload, payload.hasPrefix(TemplateMessage.stopPrefix) else { return nil }
    return String(payload.dropFirst(TemplateMessage.stopPrefix.count))
  }
}

/// Somebody used WhatsApp's own control for offers.
public struct MarketingPreference: Sendable, Equatable {
  public enum Choice: String, Sendable, Hashable { case stop, resume }

  public var wabaID: String
  public var phoneNumberID: String?
  public var phone: PhoneNumber?
  public var userID: String?
  public var choice: Choice
  public var timestamp: Instant

  public init(
    wabaID: String, phoneNumberID: String?, phone: PhoneNumber?, userID: String?, choice: Choice, timestamp: Instant
  ) {
    (self.wabaID, self.phoneNumberID, self.phone) = (wabaID, phoneNumberID, phone)
    (self.userID, self.choice, self.timestamp) = (userID, choice, timestamp)
  }
}

/// A change that concerns no single message.
public struct AccountChange: Sendable, Equatable {
  public var wabaID: String
  /// The webhook field, e.g. `message_template_status_update`.
  public var field: String
  /// Missing in some examples of Meta's.
  public var time: Instant?
  public var value: JSONValue

  public init(wabaID: String, field: String, time: Instant?, value: JSONValue) {
    (self.wabaID, self.field, self.time, self.value) = (wabaID, field, time, value)
  }
}

public enum WebhookError: Error, Hashable, Sendable {
  /// The body is not JSON. The reason quotes nothing.
  case notJSON(reason: String)
  /// JSON, but no list of entries.
  case noWebhook
}
