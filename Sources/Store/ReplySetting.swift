import Consent
import Domain
import JSON
import Postgres

/// What a business wants said to people who stop and to those whose words leave a doubt.
public struct ReplySetting: Sendable, Equatable {
  /// Whether a stop is confirmed.
  public var confirms = true
  /// Whether a doubt is asked about; without the question it stops by itself after 72 hours.
  public var asks = true
  /// Texts of their own; the shipped ones hold for all other languages.
  public var texts: [StopLanguage: ReplyTexts] = [:]

  public init() {}

  public func texts(in language: StopLanguage) -> ReplyTexts { texts[language] ?? .shipped(language) }

  /// `{"confirms": true, "asks": true, "texts": {"ar": {"confirmation", "question", "stop_button", "keep_button"}}}`
  public init(json: JSONValue) throws(Problem) {
    let fields = try Fields(json, known: ["confirms", "asks", "texts"])
    confirms = try fields.flag("confirms") ?? true
    asks = try fields.flag("asks") ?? true
    guard let texts = fields["texts"] else { return }
    let languages = StopLanguage.allCases.map(\.rawValue)
    let byLanguage = try Fields(texts, at: "texts", known: languages)
    for language in StopLanguage.allCases {
      guard let given = byLanguage[language.rawValue] else { continue }
      let path = "texts.\(language.rawValue)"
      let fields = try Fields(given, at: path, known: ["confirmation", "question", "stop_button", "keep_button"])
      var own = ReplyTexts.shipped(language)
      // Meta's limits: 4,096 characters a text, 1,024 beside buttons, 20 a button.
      if let text = try fields.text("confirmation", limit: 4096) { own.confirmation = text }
      if let text = try fields.text("question", limit: 1024) { own.question = text }
      own.stopButton = try ReplySetting.button(fields, "stop_button") ?? own.stopButton
      own.keepButton = try ReplySetting.button(fields, "keep_button") ?? own.keepButton
      guard own.stopButton != own.keepButton else {
        throw .invalid("\(path).keep_button", "Both buttons say the same.", remedy: "Write two different labels.")
      }
      self.texts[language] = own
    }
  }

  private static func button(_ fields: Fields, _ name: String) throws(Problem) -> String? {
    guard let text = try fields.text(name, limit: 20) else { return nil }
    guard text.utf16.count <= 20 else {
      throw .invalid(fields.path(to: name), "The label is too long for Meta.", remedy: "At most 20 characters; emoji count twice.")
    }
    return text
  }

  /// All languages, as they will be said.
  public var json: JSONValue {
    var texts = JSONObject()
    for language in StopLanguage.allCases {
      let said = self.texts(in: language)
      texts.append(
        language.rawValue,
        [
          "confirmation": .string(said.confirmation), "question": .string(said.question),
          "stop_button": .string(said.stopButton), "keep_button": .string(said.keepButton),
        ])
    }
    return ["confirms": .bool(confirms), "asks": .bool(asks), "texts": .object(texts)]
  }

  public static func read(of business: Business.ID, on pool: Pool) async throws -> ReplySetting {
    let rows = try await pool.run(
      "select setting from reply_setting where business_id = $1 order by version desc limit 1", .int8(business.rawValue))
    guard let row = rows.first else { return ReplySetting() }
    return try ReplySetting(json: JSONValue(parsing: row.jsonb(0)))
  }

  /// For the caller's batch.
  public func storing(of business: Business.ID, by actor: String) -> Statement {
    Statement(
      "insert into reply_setting (business_id, setting, by) values ($1, $2, $3)",
      [.int8(business.rawValue), .jsonb(json.rendered()), .text(actor)])
  }
}
