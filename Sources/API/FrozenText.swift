import CloudAPI
import Domain
import JSON
import Store

/// The text that a campaign's launch froze, ready to be rendered and shown, whatever became of the template since.
struct FrozenText: Sendable {
  let reading: FrozenCampaign.Reading
  let message: TemplateMessage

  /// Nil when nothing is frozen, or a later version froze what this one does not read.
  init?(_ frozen: [UInt8]?) {
    guard let frozen else { return nil }
    do {
      var reading = try FrozenCampaign.read(frozen)
      let definition = try TemplateDefinition(
        name: reading.name, language: reading.language, parameterFormat: reading.parameterFormat,
        components: reading.components)
      reading.spec.template.order(header: definition.headerNames, body: definition.body.names)
      message = try TemplateMessage(definition, TemplateFill(reading.spec.template))
      self.reading = reading
    } catch { return nil }
  }

  /// The text with its placeholders, and which version of the template it was.
  var json: JSONValue {
    let definition = message.definition
    var header: String?
    if case .text(let text)? = definition.header { header = text.text }
    return [
      "name": .string(reading.name), "language": .string(reading.language), "version": .count(reading.version),
      "header": .text(header), "body": .string(definition.body.text), "footer": .text(definition.footer),
      "buttons": .array(definition.buttons.map { .string($0.label) }),
    ]
  }
}
