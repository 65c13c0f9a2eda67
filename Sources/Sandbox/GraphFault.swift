/// An error as the Graph API tells it.
struct GraphFault: Error {
  let code: Int
  let http: Int
  let type: String
  let message: String
  let details: String?
  var subcode: Int?

  init(
    _ code: Int, _ http: Int, _ message: String, _ details: String? = nil, type: String = "OAuthException",
    subcode: Int? = nil
  ) {
    (self.code, self.http, self.message, self.details, self.type, self.subcode) = (
      code, http, message, details, type, subcode
    )
  }

  static func parameter(_ sentence: String) -> GraphFault { GraphFault(100, 400, "(#100) \(sentence)") }
  static func missing(_ name: String) -> GraphFault {
    GraphFault(131008, 400, "(#131008) Required parameter is missing", "Parameter \(name) is required")
  }
  static func invalid(_ details: String) -> GraphFault {
    GraphFault(131009, 400, "(#131009) Parameter value is not valid", details)
  }
  static func mismatch(_ details: String) -> GraphFault {
    GraphFault(132000, 400, "(#132000) Number of parameters does not match the expected number of params", details)
  }
  static func format(_ details: String) -> GraphFault {
    GraphFault(132012, 400, "(#132012) Parameter format does not match format in the created template", details)
  }

  static let noToken = GraphFault(104, 401, "An access token is required to request this resource.")
  static let badToken = GraphFault(190, 401, "Invalid OAuth access token - Cannot parse access token")
  static func unknownObject(_ id: String) -> GraphFault {
    GraphFault(
      100, 400,
      "Unsupported request. Object with ID '\(id)' does not exist, cannot be loaded due to missing permissions, or does not "
        + "support this operation", type: "GraphMethodException", subcode: 33)
  }
  static let deletedNumber = GraphFault(
    33, 400, "(#33) Parameter value is not valid", "The business phone number has been deleted.")
  static let throughput = GraphFault(
    130429, 400, "(#130429) Rate limit hit", "Cloud API message throughput has been reached.", subcode: 2_494_055)
  static let pair = GraphFault(
    131056, 400, "(#131056) (Business Account, Consumer Account) pair rate limit hit",
    "Message failed to send because there were too many messages sent from this phone number to the same phone number in a "
      + "short period of time.")
  static let restricted = GraphFault(
    131048, 400, "(#131048) Spam rate limit hit",
    "Message failed to send because there are restrictions on how many messages can be sent from this phone number. This may be "
      + "because too many previous messages were blocked or flagged as spam.")
  /// Meta documents no code for it; this is the one that senders quote.
  static let people = GraphFault(
    131048, 400, "(#131048) Spam rate limit hit",
    "Message failed to send because the messaging limit of the business portfolio is reached: unique users in a moving 24 hours.")
  static let notRegistered = GraphFault(
    133010, 400, "(#133010) Account not registered", "The phone number is not registered.")
  static let locked = GraphFault(
    131031, 403, "(#131031) Account has been locked", "The account has been restricted or disabled.")
  static let unpaid = GraphFault(
    131042, 400, "(#131042) Business eligibility payment issue", "There was an error related to your payment method.")
  static let reengagement = GraphFault(
    131047, 400, "(#131047) Re-engagement message",
    "More than 24 hours have passed since the recipient last replied to the sender number.")
  static let ownNumber = GraphFault(
    131021, 400, "(#131021) Recipient cannot be sender", "Sender and recipient phone number is the same.")
  static let unknownAfterAcceptance = GraphFault(
    131000, 500, "(#131000) Something went wrong", "Message failed to send due to an unknown error.")
  static func noTemplate(_ name: String, _ language: String) -> GraphFault {
    GraphFault(
      132001, 404, "(#132001) Template name does not exist in the translation",
      "template name (\(name)) does not exist in \(language)")
  }
  static func pausedTemplate(_ name: String) -> GraphFault {
    GraphFault(132015, 400, "(#132015) Template is Paused", "Template (\(name)) is paused due to low quality.")
  }
  static func disabledTemplate(_ name: String) -> GraphFault {
    GraphFault(132016, 400, "(#132016) Template is Disabled", "Template (\(name)) is disabled for good.")
  }
  static let parameterText = GraphFault(
    132018, 400, "(#132018) There was an issue with the parameters in your template",
    "Param text cannot have new-line/tab characters or more than 4 consecutive spaces")
  static func tooLong(_ place: String) -> GraphFault {
    GraphFault(
      132005, 400, "(#132005) Translated text too long", "\(place) is too long after its parameters were filled in.")
  }
  static func managementLimit() -> GraphFault {
    GraphFault(80007, 400, "(#80007) There have been too many calls to this WhatsApp Business account.")
  }

  /// `{"error":{…}}`.
  func rendered(trace: UInt64) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.append("{\"error\":{\"message\":\"")
    bytes.append(escaping: message.utf8)
    bytes.append("\",\"type\":\"")
    bytes.append(escaping: type.utf8)
    bytes.append("\",\"code\":")
    bytes.append(decimal: Int64(code))
    if let details {
      bytes.append(",\"error_data\":{\"messaging_product\":\"whatsapp\",\"details\":\"")
      bytes.append(escaping: details.utf8)
      bytes.append("\"}")
    }
    if let subcode {
      bytes.append(",\"error_subcode\":")
      bytes.append(decimal: Int64(subcode))
    }
    bytes.append(",\"fbtrace_id\":\"A")
    bytes.append(hex: trace, digits: 16)
    bytes.append("\"}}")
    return bytes
  }
}

/// Why a message that was accepted failed, as its receipt tells it.
struct Failure {
  let code: Int32
  let title: String
  let details: String

  static func of(_ code: Int32) -> Failure {
    known[code] ?? Failure(code: code, title: "Message failed", details: "Message failed.")
  }

  private static let known: [Int32: Failure] = Dictionary(
    uniqueKeysWithValues: [
      Failure(
        code: 131026, title: "Message undeliverable",
        details: "Message Undeliverable. The recipient may not be on WhatsApp or has not accepted the latest terms."),
      Failure(
        code: 131049, title: "This message was not delivered to maintain healthy ecosystem engagement.",
        details: "In order to maintain a healthy ecosystem engagement, the message failed to be delivered."),
      Failure(
        code: 130472, title: "User's number is part of an experiment",
        details: "Failed to send message because this user's phone number is part of an experiment"),
      Failure(
        code: 131050, title: "User has stopped marketing messages",
        details: "This recipient has chosen to stop receiving marketing messages on WhatsApp from your business."),
      Failure(
        code: 132015, title: "Template is Paused",
        details: "Template is paused due to low quality so it cannot be sent."),
      Failure(
        code: 135000, title: "Generic user error", details: "Message failed to send because of an unknown error."),
      Failure(code: 131053, title: "Media upload error", details: "The media could not be fetched."),
    ].map { ($0.code, $0) })
}
