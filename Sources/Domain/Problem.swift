/// An RFC 9457 problem document: what went wrong, which field, and what to do about it. Safe to show and to log: it never
/// holds a phone number, a token or a parameter value.
public struct Problem: Error, Equatable, Sendable {
  /// The HTTP status; the CLI maps it to an exit code.
  public var status: Int
  /// A stable word for programs, e.g. `template_unknown`.
  public var code: String
  /// One sentence, the same for every occurrence.
  public var title: String
  /// What happened this time.
  public var detail: String
  /// The field at fault, as a path in the request: `template.parameters.body[1]`. Nil when no field is.
  public var field: String?
  /// What the reader can do now.
  public var remedy: String?

  public init(
    _ status: Int, _ code: String, _ title: String, detail: String = "", field: String? = nil, remedy: String? = nil
  ) {
    (self.status, self.code, self.title) = (status, code, title)
    (self.detail, self.field, self.remedy) = (detail, field, remedy)
  }
}
