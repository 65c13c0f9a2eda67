import CloudAPI
import Domain
import JSON
import Store

/// A template with all its values in one request: no audience brings any.
enum UrgentTemplate {
  /// The values in the order of the template's places. Each failure names its field.
  static func values(of given: CampaignSpec.TemplatePart, _ entry: Templates.Entry) throws -> [String] {
    guard entry.seen.category != .marketing, entry.seen.category != .marketingLite else {
      throw Problem(
        422, "template_is_marketing", "Offers are sent by campaigns.",
        detail: "Meta's category of this template is \(entry.seen.category.word): consent, hours and limits hold for it.",
        field: "template.name", remedy: "Make a campaign (POST /v1/campaigns), or use a utility or authentication template.")
    }
    let definition = try entry.definition()
    var part = given
    part.order(header: definition.headerNames, body: definition.body.names)
    var literals: [String] = []
    for (field, source) in part.parameters.ordered {
      guard case .literal(let text) = source else {
        throw Problem.invalid(
          field, "One message has no audience whose attributes could stand here.", remedy: "Write the text itself.")
      }
      literals.append(text)
    }
    if part.stopButton != nil {
      throw Problem.invalid(
        "template.stop_button", "Only offers have a stop button.", remedy: "Leave it out.")
    }
    if let media = part.parameters.media, media.link == nil || media.filename != nil {
      throw Problem(
        422, "not_supported", "This is not supported yet.", detail: "Of a file its link is taken here, and nothing else.",
        field: "template.parameters.header", remedy: "Write {\"\(media.kind.rawValue)\": {\"link\": \"https://…\"}}.")
    }
    for button in part.parameters.buttons where definition.isQuickReply(button.index) {
      throw Problem.invalid(
        "template.parameters.buttons.\(button.index)", "A quick reply takes no value here.", remedy: "Leave it out.")
    }
    // Counts, names and Meta's rules, with their fields.
    _ = try CampaignCheck.message(part, definition)
    let headers = part.parameters.header.count
    return literals.prefix(headers) + [part.parameters.media?.link].compactMap { $0 } + literals.dropFirst(headers)
  }

  /// What the person was sent, as they see it; null when it can't be shown. A code is never shown again.
  static func content(_ sent: Urgent.Sent) -> JSONValue {
    if sent.category == .authentication || sent.category == .authenticationInternational { return .null }
    if let text = FrozenText(sent.frozen) { return content(text.message, sent.values) }
    guard let bytes = sent.frozen else { return .null }
    let frozen = JSONValue.stored(bytes)
    guard let template = frozen["template"] else { return ["text": .text(sent.values.first)] }
    do throws(TemplateError) {
      return content(try TemplateMessage(placesOf: template), sent.values)
    } catch {
      // Frozen by a version that could read it; what was sent stays on the record as values.
      return .null
    }
  }

  private static func content(_ message: TemplateMessage, _ values: [String]) -> JSONValue {
    // Erased people have no values any more.
    guard values.count >= message.valueCount else { return .null }
    let preview = message.preview(values)
    return [
      "template": .string(message.definition.name), "language": .string(message.definition.language),
      "header": .text(preview.header), "media": .text(preview.media), "body": .string(preview.body),
      "footer": .text(preview.footer), "buttons": .array(preview.buttons.map { .string($0) }),
    ]
  }
}
