internal import CCurl

/// Who sends a mail to whom, and the account it is sent by. The content is the request's body: lines that end in CRLF.
public final class MailEnvelope: @unchecked Sendable, CustomStringConvertible, CustomReflectable {
  // @unchecked: built in `init` and never changed; libcurl only reads it.
  let from: String
  let user: String?
  let password: String?
  let recipients: UnsafeMutablePointer<curl_slist>?
  let isSound: Bool

  /// With a password the connection must be encrypted before anything of it is said; without one it is when the server can.
  public init(from: String, to recipients: [String], user: String? = nil, password: String? = nil) {
    (self.from, self.user, self.password) = (from, user, password)
    isSound = !recipients.isEmpty && ([from] + recipients).allSatisfy(MailEnvelope.isAddress)
    var list: UnsafeMutablePointer<curl_slist>?
    if isSound {
      for recipient in recipients {
        guard let longer = curl_slist_append(list, "<\(recipient)>") else { fatalError("no memory for a list of recipients") }
        list = longer
      }
    }
    self.recipients = list
  }

  deinit { curl_slist_free_all(recipients) }

  /// One address without blanks, brackets or line breaks: nothing that ends the command it stands in.
  public static func isAddress(_ text: String) -> Bool {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    return parts.count == 2 && !parts[0].isEmpty && !parts[1].isEmpty && text.utf8.count <= 254
      && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"<>,;:\\\"()[]".utf8.contains($0) }
  }

  public var description: String { "MailEnvelope(…)" }
  public var customMirror: Mirror { Mirror(self, children: []) }
}
