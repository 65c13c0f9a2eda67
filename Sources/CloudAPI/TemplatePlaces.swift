import Domain
import JSON

extension TemplateFill {
  /// Every place that must have a value takes the person's own: header (its text's placeholders, or the link of its
  /// file), body, then the buttons that need one, by index.
  public init(placesOf definition: TemplateDefinition) {
    var next = 0
    func take() -> TemplateValue {
      defer { next += 1 }
      return .person(next)
    }
    self.init()
    switch definition.header {
    case .text(let text): header = text.names.map { _ in take() }
    case .media: media = TemplateMedia(.link(take()))
    case nil: break
    }
    body = definition.body.names.map { _ in take() }
    for (index, button) in definition.buttons.enumerated() where button.needsValue { buttons[index] = take() }
  }
}

extension TemplateMessage {
  /// A template whose every value comes with the person, from how a launch or an urgent message froze it: name,
  /// language, parameter_format, components.
  public init(placesOf frozen: JSONValue) throws(TemplateError) {
    let definition = try TemplateDefinition(
      name: frozen["name"]?.stringValue ?? "", language: frozen["language"]?.stringValue ?? "",
      parameterFormat: frozen["parameter_format"]?.stringValue, components: frozen["components"] ?? .null)
    try self.init(definition, TemplateFill(placesOf: definition))
  }
}
