import Domain
import JSON

/// A message inside the 24 hours after someone wrote to us: plain text, or a question with up to three buttons. It
/// confirms a STOP and asks what a doubtful one meant.
public struct ReplyMessage: Sendable, Hashable {
  public struct Button: Sendable, Hashable {
    /// Comes back as the payload; at most 256 characters.
    public let id: String
    /// At most 20 characters.
    public let title: String
    public init(id: String, title: String) { (self.id, self.title) = (id, title) }
  }

  public let text: String
  public let buttons: [Button]

  /// Nil when Meta would refuse it: an empty or too long text (4,096 characters, 1,024 with buttons), more than three
  /// buttons, two alike, or one too long.
  public init?(_ text: String, buttons: [Button] = []) {
    let limit = buttons.isEmpty ? 4096 : 1024
    guard !text.isEmpty, text.utf16.count <= limit, buttons.count <= 3,
      Set(buttons.map(\.title)).count == buttons.count,
      Set(buttons.map(\.id)).count == buttons.count,
      buttons.allSatisfy({ (1...20).contains($0.title.utf16.count) && (1...256).contains($0.id.utf16.count) })
    else { return nil }
    (self.text, self.buttons) = (text, buttons)
  }

  /// As it was stored with its recipient: the text, then each button's id and title. It was judged before it was stored;
  /// what Meta refuses all the same ends as a refusal.
  public init(stored values: [String]) {
    text = values.first ?? ""
    buttons = stride(from: 1, to: values.count - 1, by: 2).map { Button(id: values[$0], title: values[$0 + 1]) }
  }

  /// The body of `POST /{phone number}/messages`.
  public func render(to phone: PhoneNumber, key: MessageKey, installation: String) -> [UInt8] {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("messaging_product")
    writer.string("whatsapp")
    writer.key("recipient_type")
    writer.string("individual")
    writer.key("to")
    writer.string(phone.e164)
    writer.key("type")
    writer.string(buttons.isEmpty ? "text" : "interactive")
    if buttons.isEmpty {
      writer.key("text")
      body(&writer, "body")
    } else {
      writer.key("interactive")
      writer.beginObject()
      writer.key("type")
      writer.string("button")
      writer.key("body")
      body(&writer, "text")
      writer.key("action")
      writer.beginObject()
      writer.key("buttons")
      writer.beginArray()
      for button in buttons {
        writer.beginObject()
        writer.key("type")
        writer.string("reply")
        writer.key("reply")
        writer.beginObject()
        writer.key("id")
        writer.string(button.id)
        writer.key("title")
        writer.string(button.title)
        writer.endObject()
        writer.endObject()
      }
      writer.endArray()
      writer.endObject()
      writer.endObject()
    }
    writer.key("biz_opaque_callback_data")
    writer.string(key.callbackData(installation: installation))
    writer.endObject()
    return writer.bytes
  }

  private func body(_ writer: inout JSONWriter, _ name: String) {
    writer.beginObject()
    writer.key(name)
    writer.string(text)
    writer.endObject()
  }
}
