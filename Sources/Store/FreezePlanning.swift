import Domain
import JSON

/// What sending needs of a campaign from its freeze on, whatever becomes of the template: the text it was launched with
/// and the request with its defaults.
public enum FrozenCampaign {
  public static func json(_ template: Templates.Entry, spec: JSONValue) -> JSONValue {
    let components: JSONValue
    do throws(JSONError) {
      components = try JSONValue(parsing: template.seen.components)
    } catch {
      preconditionFailure("a stored template is not JSON: \(error)")
    }
    return [
      "template": [
        "name": .string(template.seen.name), "language": .string(template.seen.language),
        "parameter_format": .string(template.seen.parameterFormat), "version": .number(String(template.version)),
        "components": components,
      ],
      "spec": spec,
    ]
  }
}
