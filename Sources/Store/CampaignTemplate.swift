import Domain
import JSON

extension CampaignSpec {
  /// Which text, and where its parameters come from.
  public struct TemplatePart: Sendable, Equatable {
    public var name: String
    public var language: String
    /// The index of the quick-reply button whose press is a STOP. Nil: the shipped button texts decide.
    public var stopButton: Int?
    public var parameters: Parameters

    public struct Parameter: Sendable, Equatable {
      /// Of a template with named parameters; nil in a positional one.
      public var name: String?
      public var source: ParameterSource
    }
    public struct ButtonParameter: Sendable, Equatable {
      public var index: Int
      public var source: ParameterSource
    }
    /// The picture, video or document of a header, the same for everybody.
    public struct Media: Sendable, Equatable {
      public enum Kind: String, CaseIterable, Sendable { case image, video, document }
      public var kind: Kind
      /// Meta's id of an uploaded file; else `link` is set.
      public var id: String?
      public var link: String?
      /// Of a document.
      public var filename: String?
    }
    public struct Parameters: Sendable, Equatable {
      public var header: [Parameter] = []
      public var media: Media?
      public var body: [Parameter] = []
      /// By ascending index.
      public var buttons: [ButtonParameter] = []

      /// All sources in the order of a recipient's frozen values: header, body, buttons; each with its field.
      public var ordered: [(field: String, source: ParameterSource)] {
        func field(_ part: String, _ index: Int, _ name: String?) -> String {
          "template.parameters." + part + (name.map { "." + $0 } ?? "[\(index)]")
        }
        return header.enumerated().map { (field("header", $0, $1.name), $1.source) }
          + body.enumerated().map { (field("body", $0, $1.name), $1.source) }
          + buttons.map { ("template.parameters.buttons.\($0.index)", $0.source) }
      }
    }

    /// Puts named parameters into the order in which the template's text has them; names it does not have come last.
    public mutating func order(header: [String], body: [String]) {
      func sorted(_ list: [Parameter], _ names: [String]) -> [Parameter] {
        guard list.first?.name != nil else { return list }
        return names.compactMap { name in list.first { $0.name == name } }
          + list.filter { !names.contains($0.name ?? "") }
      }
      parameters.header = sorted(parameters.header, header)
      parameters.body = sorted(parameters.body, body)
    }

    public init(json: JSONValue, at path: String) throws(Problem) {
      let fields = try Fields(
        json, at: path, known: ["name", "language", "stop_button", "parameters"],
        later: ["header_media", "carousel", "limited_time_offer", "flow", "ttl"])
      name = try fields.requiredText("name", limit: 512, remedy: "Write the template's name as Meta has it.")
      if case .object? = fields["language"] {
        throw Problem(
          422, "not_supported", "This is not supported yet.", detail: "A language by attribute is not supported yet.",
          field: fields.path(to: "language"), remedy: "Write one language, e.g. \"ar\", and one campaign for each.")
      }
      language = try fields.requiredText(
        "language", limit: 20, remedy: "Write the template's language, e.g. \"ar\" or \"en_US\".")
      stopButton = try fields.integer("stop_button", in: 0...9).map { Int($0) }
      parameters = Parameters()
      guard let value = fields["parameters"] else { return }
      let parts = try Fields(
        value, at: fields.path(to: "parameters"), known: ["header", "body", "buttons"],
        later: ["carousel", "cards", "limited_time_offer"])
      parameters.media = try TemplatePart.media(parts["header"], at: parts.path(to: "header"))
      if parameters.media == nil {
        parameters.header = try TemplatePart.list(parts["header"], at: parts.path(to: "header"))
      }
      parameters.body = try TemplatePart.list(parts["body"], at: parts.path(to: "body"))
      parameters.buttons = try TemplatePart.buttons(parts["buttons"], at: parts.path(to: "buttons"))
    }

    /// A list of positional parameters, or an object of named ones.
    private static func list(_ value: JSONValue?, at path: String) throws(Problem) -> [Parameter] {
      var list: [Parameter] = []
      switch value {
      case nil: break
      case .array(let members):
        for (index, member) in members.enumerated() {
          list.append(Parameter(name: nil, source: try ParameterSource(json: member, at: "\(path)[\(index)]")))
        }
      case .object(let object):
        for field in object.fields {
          list.append(
            Parameter(name: field.key, source: try ParameterSource(json: field.value, at: "\(path).\(field.key)")))
        }
      default:
        throw .invalid(
          path, "Here a list is expected, or an object for a template with named parameters.",
          remedy: "Write [\"20%\", {\"attr\": \"first_name\"}] or {\"first_name\": {\"attr\": \"first_name\"}}.")
      }
      guard list.count <= 100 else {
        throw .invalid(path, "There are \(list.count) parameters.", remedy: "At most 100 are allowed.")
      }
      return list
    }

    /// `{"image": {"link": "https://…"}}` or `{"document": {"id": "…", "filename": "…"}}`; nil for anything else.
    private static func media(_ value: JSONValue?, at path: String) throws(Problem) -> Media? {
      guard let pairs = value?.objectValue, pairs.count == 1, let kind = Media.Kind(rawValue: pairs[0].0),
        pairs[0].1["attr"] == nil, case .object = pairs[0].1
      else { return nil }
      let fields = try Fields(pairs[0].1, at: path + "." + kind.rawValue, known: ["id", "link", "filename"])
      let media = Media(
        kind: kind, id: try fields.text("id", limit: 100), link: try fields.text("link", limit: 2000),
        filename: try fields.text("filename", limit: 240))
      guard (media.id == nil) != (media.link == nil) else {
        throw .invalid(
          fields.path, "Either an id or a link is expected.",
          remedy: "Write {\"link\": \"https://…\"} or {\"id\": \"…\"}.")
      }
      guard media.filename == nil || kind == .document else {
        throw .invalid(fields.path(to: "filename"), "Only a document has a file name.", remedy: "Leave it out.")
      }
      return media
    }

    /// An object keyed by the button's index: `{"1": "summer"}`.
    private static func buttons(_ value: JSONValue?, at path: String) throws(Problem) -> [ButtonParameter] {
      guard let value else { return [] }
      guard let pairs = value.objectValue else {
        throw .invalid(
          path, "Here an object is expected, keyed by the button's index.", remedy: "Write {\"0\": \"summer\"}.")
      }
      var buttons: [ButtonParameter] = []
      for (key, member) in pairs {
        guard let index = Int(key), (0...9).contains(index), String(index) == key else {
          throw .invalid(
            "\(path).\(key)", "This is not the index of a button.", remedy: "Write an index from \"0\" to \"9\".")
        }
        buttons.append(ButtonParameter(index: index, source: try ParameterSource(json: member, at: "\(path).\(key)")))
      }
      return buttons.sorted { $0.index < $1.index }
    }

    var json: JSONValue {
      var object: JSONObject = ["name": .string(name), "language": .string(language)]
      if let stopButton { object.append("stop_button", .number(String(stopButton))) }
      var parts = JSONObject()
      if let list = TemplatePart.json(parameters.header) { parts.append("header", list) }
      if let media = parameters.media { parts.append("header", TemplatePart.json(media)) }
      if let list = TemplatePart.json(parameters.body) { parts.append("body", list) }
      if !parameters.buttons.isEmpty {
        var buttons = JSONObject()
        for button in parameters.buttons { buttons.append(String(button.index), button.source.json) }
        parts.append("buttons", .object(buttons))
      }
      if !parts.fields.isEmpty { object.append("parameters", .object(parts)) }
      return .object(object)
    }

    private static func json(_ media: Media) -> JSONValue {
      var object = JSONObject()
      if let id = media.id { object.append("id", .string(id)) }
      if let link = media.link { object.append("link", .string(link)) }
      if let filename = media.filename { object.append("filename", .string(filename)) }
      var outer = JSONObject()
      outer.append(media.kind.rawValue, .object(object))
      return .object(outer)
    }

    private static func json(_ list: [Parameter]) -> JSONValue? {
      guard let first = list.first else { return nil }
      guard first.name != nil else { return .array(list.map(\.source.json)) }
      var object = JSONObject()
      for parameter in list { object.append(parameter.name ?? "", parameter.source.json) }
      return .object(object)
    }
  }
}
