import Crypto
import Domain
import JSON

/// Takes one person out of a stored webhook, so that the rest of it still says what it said.
public enum PersonRedaction {
  private static let names: Set<String> = ["from", "from_user_id", "wa_id", "user_id"]
  private static let recipients: Set<String> = ["recipient_id", "recipient_user_id"]

  /// The body without the person: what they wrote and who they are is gone; receipts of their messages keep our key, the
  /// state and the price. Nil when the body is not JSON.
  public static func redacted(_ body: [UInt8], phones: [PhoneNumber], userIDs: [String]) -> [UInt8]? {
    let value: JSONValue
    do { value = try JSONValue(parsing: body) } catch { return nil }
    let words = Set(phones.map { String($0.digits) } + userIDs)
    return (walk(value, words) ?? .null).rendered()
  }

  /// Nil: an object of the person's own, to be left out of where it stands.
  private static func walk(_ value: JSONValue, _ words: Set<String>) -> JSONValue? {
    switch value {
    case .array(let members): return .array(members.compactMap { walk($0, words) })
    case .object(let object):
      func names(_ field: (key: String, value: JSONValue), _ fields: Set<String>) -> Bool {
        guard fields.contains(field.key) else { return false }
        switch field.value {
        case .string(let text): return words.contains(text.hasPrefix("+") ? String(text.dropFirst()) : text)
        case .number(let text): return words.contains(text)
        default: return false
        }
      }
      if object.fields.contains(where: { names(($0.key, $0.value), self.names) }) { return nil }
      var kept = JSONObject()
      let isReceipt = object.fields.contains { names(($0.key, $0.value), recipients) }
      for field in object.fields {
        if isReceipt, recipients.contains(field.key) { continue }
        if isReceipt, field.key == "id" {
          kept.append("id", "erased")
        } else if let value = walk(field.value, words) {
          kept.append(field.key, value)
        }
      }
      return .object(kept)
    case .string(let text):
      if spells(text, words) { return "erased" }
      return .string(words.reduce(text) { $0.contains($1) ? $0.replacing($1, with: "erased") : $0 })
    case .number(let text): return words.contains(text) ? .null : value
    case .bool, .null: return value
    }
  }

  /// Meta's id of a message is base64 over the phone it went to.
  private static func spells(_ text: String, _ words: Set<String>) -> Bool {
    guard text.hasPrefix("wamid.") else { return false }
    let code = text.dropFirst(6)
    let padded = code + String(repeating: "=", count: (4 - code.utf8.count % 4) % 4)
    guard let bytes = Crypto.bytes(base64: padded) else { return false }
    let decoded = String(decoding: bytes, as: UTF8.self)
    return words.contains { decoded.contains($0) }
  }
}
