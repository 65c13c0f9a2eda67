internal import CCurl

/// Request headers in libcurl's own form: built once, lent to any number of requests, on any thread.
///
/// A name or value that would break out of its line is not sent: every request with such a list ends as
/// `neverWritten("malformed")`.
public final class HeaderList: @unchecked Sendable {
  // @unchecked: built in `init` and never changed; libcurl only reads it.
  let list: UnsafeMutablePointer<curl_slist>?
  let isSound: Bool

  public static let none = HeaderList([])

  public init(_ headers: [(String, String)]) {
    // libcurl adds two headers of its own to a POST. `Expect` costs a round trip and a wrong `Content-Type` misleads;
    // a name with a colon and no value takes a default away.
    var lines = ["Expect:"]
    if !headers.contains(where: { $0.0.lowercased() == "content-type" }) { lines.append("Content-Type:") }
    // A semicolon in place of the colon is libcurl's spelling of an empty value.
    for (name, value) in headers { lines.append(value.isEmpty ? name + ";" : name + ": " + value) }
    isSound = headers.allSatisfy { HeaderList.isToken($0.0) && HeaderList.isLine($0.1) }
    var list: UnsafeMutablePointer<curl_slist>?
    if isSound {
      for line in lines {
        guard let longer = curl_slist_append(list, line) else { fatalError("no memory for a header list") }
        list = longer
      }
    }
    self.list = list
  }

  deinit { curl_slist_free_all(list) }

  /// RFC 9110 `token`.
  private static func isToken(_ text: String) -> Bool {
    !text.isEmpty
      && text.utf8.allSatisfy { byte in
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
      }
  }

  private static func isLine(_ text: String) -> Bool { text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 } }
}
