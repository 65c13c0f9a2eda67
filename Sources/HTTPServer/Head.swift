import CMicroHTTPD
import Glibc

/// What came before the body, checked by the guard and copied out of MHD's memory.
struct Head: Sendable {
  enum Framing: Sendable, Equatable {
    case none
    case length(Int)
    case chunked
  }

  /// A name and a value inside `block`.
  struct Field: Sendable {
    var name: Range<Int>
    var value: Range<Int>
  }

  let method: String
  let path: String
  let framing: Framing
  private let block: [UInt8]
  private let fields: [Field]
  private let arguments: [Field]

  init(method: String, path: String, framing: Framing, block: [UInt8], fields: [Field], arguments: [Field]) {
    (self.method, self.path, self.framing) = (method, path, framing)
    (self.block, self.fields, self.arguments) = (block, fields, arguments)
  }

  func field(_ lowercased: String) -> String? {
    let wanted = lowercased.utf8
    for field in fields where field.name.count == wanted.count && block[field.name].elementsEqual(wanted) {
      return String(decoding: block[field.value], as: UTF8.self)
    }
    return nil
  }

  /// Arguments that do not decode were refused with the head.
  var query: [(String, String)] {
    arguments.map { (Percent.decoded(block[$0.name]) ?? "", Percent.decoded(block[$0.value]) ?? "") }
  }
}

/// Why a head is refused: answered, and the connection closed.
struct Refusal: Error {
  let status: Int
  let detail: StaticString

  var response: HTTPResponse {
    let title =
      switch status {
      case 400: "Bad request"
      case 431: "Header fields too large"
      default: "Refused"
      }
    return .problem(status, title, "\(detail)")
  }
}
