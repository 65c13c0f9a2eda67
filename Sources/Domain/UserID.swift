/// Meta's id of a person for one portfolio, `US.13491208655302741918`: a country, perhaps more words in capitals, and
/// letters or digits. It stands for a person whose phone nobody tells.
public struct UserID: Hashable, Sendable, CustomStringConvertible {
  public let text: String

  /// Nil when `text` has another form.
  public init?(_ text: some StringProtocol) {
    let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 2 || parts.count == 3, let country = parts.first, country.count == 2,
      let last = parts.last, (1...128).contains(last.count), last.allSatisfy(UserID.isLetterOrDigit),
      parts.dropLast().allSatisfy({ (2...16).contains($0.count) && $0.allSatisfy { $0 >= 0x41 && $0 <= 0x5A } })
    else { return nil }
    self.text = String(text)
  }

  /// ISO 3166, as Meta saw it.
  public var country: String { String(text.prefix(2)) }

  /// It identifies a person, so it is not printed.
  public var description: String { country + ".…" }

  private static func isLetterOrDigit(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5A, 0x61...0x7A: true
    default: false
    }
  }
}
