import Domain
import JSON
import Reactor

/// One JSON object a line on standard error: a constant event name, its data in fields. Never a phone, a body or a
/// secret.
enum Log {
  static func write(_ event: String, _ fields: [(String, String)]) {
    var writer = JSONWriter()
    writer.beginObject()
    writer.key("at")
    writer.string(Instant.now.rfc3339())
    writer.key("event")
    writer.string(event)
    for (name, value) in fields {
      writer.key(name)
      writer.string(value)
    }
    writer.endObject()
    Terminal.say(String(decoding: writer.bytes, as: UTF8.self))
  }
}
