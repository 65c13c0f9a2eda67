import CSimdjson

/// Why a text was refused as JSON. It never quotes the text, so it is safe to show and to log.
public struct JSONError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The byte at fault, when it is known.
  public let offset: Int?
  public let reason: String

  public init(offset: Int? = nil, reason: String) { (self.offset, self.reason) = (offset, reason) }

  public var description: String { offset.map { "\(reason) at byte \($0)" } ?? reason }

  init(_ status: csj_status, offset: Int) {
    let reason =
      switch status {
      case csj_too_large: "the document is larger than the limit"
      case csj_too_deep: "arrays and objects are nested too deeply"
      case csj_no_memory: "no memory to parse the document"
      case csj_bad_utf8: "the text is not valid UTF-8"
      case csj_bad_string: "a string is not closed or holds a forbidden character"
      case csj_bad_number: "a number is malformed or out of range"
      case csj_empty: "the text is empty"
      case csj_lone_surrogate: "an escaped surrogate stands without its partner"
      default: "the text is not JSON"
      }
    self.init(offset: status == csj_lone_surrogate ? offset : nil, reason: reason)
  }
}
