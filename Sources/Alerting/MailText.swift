import Crypto
import Domain

/// A mail as it leaves: RFC 5322 with its subject and its text in UTF-8, whatever the language.
struct MailText {
  var subject: String
  var lines: [String]

  /// `id` is the same when it is sent again, so that a mailbox can tell.
  func rendered(from sender: String, to recipients: [String], id: String, at now: Instant, isRightToLeft: Bool) -> [UInt8] {
    let headers = [
      "From: Qafila <\(sender)>", "To: \(recipients.joined(separator: ",\r\n "))",
      "Subject: \(MailText.encodedWords(subject))", "Date: \(MailText.date(now))",
      "Message-ID: <\(id)@\(sender.split(separator: "@").last ?? "qafila")>", "Auto-Submitted: auto-generated",
      "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64",
    ]
    // A mark at its start turns each line, also one that begins with a figure or a Latin name.
    let text = lines.map { isRightToLeft && !$0.isEmpty ? "\u{200F}" + $0 : $0 }.joined(separator: "\r\n") + "\r\n"
    return Array((headers.joined(separator: "\r\n") + "\r\n\r\n" + MailText.wrapped(Crypto.base64(Array(text.utf8)))).utf8)
  }

  /// RFC 2047: plain ASCII as it is; else words of at most 75 characters, none cut inside a character.
  static func encodedWords(_ text: String) -> String {
    let line = text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : String($0) }.joined()
    if line.utf8.allSatisfy({ $0 < 0x7F }), !line.contains("=?"), line.utf8.count <= 60 { return line }
    var words: [[UInt8]] = [[]]
    for scalar in line.unicodeScalars {
      let bytes = Array(String(scalar).utf8)
      // 45 bytes are 60 characters of base64, and 12 stand around them.
      if words[words.count - 1].count + bytes.count > 45 { words.append([]) }
      words[words.count - 1] += bytes
    }
    return words.map { "=?UTF-8?B?" + Crypto.base64($0) + "?=" }.joined(separator: "\r\n ")
  }

  private static func wrapped(_ text: String) -> String {
    var rest = Substring(text)
    var lines = ""
    while !rest.isEmpty {
      lines += rest.prefix(76) + "\r\n"
      rest = rest.dropFirst(76)
    }
    return lines
  }

  /// `Mon, 09 Feb 2027 18:30:00 +0000`.
  static func date(_ instant: Instant) -> String {
    let day = CivilDate(daysSince1970: Int(instant.seconds / 86_400))
    let days = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]
    let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
    let time = instant.rfc3339().dropFirst(11).prefix(8)
    return "\(days[day.weekday - 1]), \(day.day < 10 ? "0" : "")\(day.day) \(months[day.month - 1]) \(day.year) \(time) +0000"
  }
}
