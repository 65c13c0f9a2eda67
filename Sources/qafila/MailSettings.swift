import Alerting
import HTTPClient
import Schedule
import Store

/// Where mail goes, and in which language and zone. Without a server nobody is written to.
enum MailSettings {
  static func read(_ invocation: Invocation) throws(UsageError) -> Mailer.Settings? {
    let url = try invocation.required(.smtpURL)
    if url.isEmpty { return nil }
    guard url.hasPrefix("smtp://") || url.hasPrefix("smtps://") else {
      throw UsageError("QAFILA_SMTP_URL is no address of a mail server.", remedy: "Write e.g. smtps://mail.example.com:465.")
    }
    guard !url.contains("@") else {
      throw UsageError(
        "A user or a password stands in QAFILA_SMTP_URL.", remedy: "Use QAFILA_SMTP_USER and QAFILA_SMTP_PASSWORD_FILE.")
    }
    let sender = try invocation.required(.mailFrom)
    let recipients = try invocation.required(.mailTo).split(separator: ",").map { String($0.filter { $0 != " " }) }
    guard !recipients.isEmpty, recipients.count <= 50, ([sender] + recipients).allSatisfy(MailEnvelope.isAddress) else {
      throw UsageError(
        "QAFILA_MAIL_FROM or QAFILA_MAIL_TO holds what is no address.", remedy: "Write a@example.com,b@example.com, at most 50.")
    }
    let name = try invocation.required(.mailZone)
    let zone: Zone
    do throws(ZoneError) { zone = try Zone(named: name) } catch {
      throw UsageError("\(name) is no zone of this machine.", remedy: "Write e.g. QAFILA_MAIL_ZONE=Africa/Cairo.")
    }
    var settings = Mailer.Settings(url: url, sender: sender, recipients: recipients, zone: zone)
    let word = try invocation.required(.mailLanguage)
    guard let language = AlertWords.Language(rawValue: word) else {
      throw UsageError("\(word) is no language of mails.", remedy: "Write en or ar.")
    }
    settings.language = language
    let time = try invocation.required(.digestAt).split(separator: ":").map { Int($0) }
    guard time.count == 2, let hour = time[0], let minute = time[1], (0...23).contains(hour), (0...59).contains(minute) else {
      throw UsageError("QAFILA_DIGEST_AT is no time of day.", remedy: "Write e.g. 08:00.")
    }
    settings.digestAt = hour * 3600 + minute * 60
    settings.user = try invocation.setting(.smtpUser)
    settings.password = try invocation.setting(.smtpPassword)
    settings.caFile = try invocation.setting(.caFile)
    return settings
  }
}

extension Setting {
  static let smtpURL = Setting(
    variable: "QAFILA_SMTP_URL", flag: "smtp-url", help: "mail server for alerts and the digest, smtp:// or smtps://",
    standard: "")
  static let smtpUser = Setting(variable: "QAFILA_SMTP_USER", flag: "smtp-user", help: "account at the mail server")
  static let smtpPassword = Setting(
    variable: "QAFILA_SMTP_PASSWORD", flag: "smtp-password", help: "its password, said only over TLS", isSecret: true)
  static let mailFrom = Setting(
    variable: "QAFILA_MAIL_FROM", flag: "mail-from", help: "address that mail is from", standard: "")
  static let mailTo = Setting(
    variable: "QAFILA_MAIL_TO", flag: "mail-to", help: "who is written to, with a comma between", standard: "")
  static let mailLanguage = Setting(
    variable: "QAFILA_MAIL_LANGUAGE", flag: "mail-language", help: "en or ar", standard: "en")
  static let mailZone = Setting(
    variable: "QAFILA_MAIL_ZONE", flag: "mail-zone", help: "zone of the digest's day and of times in mails",
    standard: "Africa/Cairo")
  static let digestAt = Setting(
    variable: "QAFILA_DIGEST_AT", flag: "digest-at", help: "when the digest of the day before is sent", standard: "08:00")
}
