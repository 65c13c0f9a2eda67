import CloudAPI
import Crypto
import Domain
import JSON
import Store

extension Notices.Notice {
  /// What an account's webhook asks of us; nil for what changes nothing and need not be kept.
  init?(_ change: AccountChange) {
    guard let meaning = Notices.Notice.meaning(of: change) else { return nil }
    let digest = change.time.map { time in
      Crypto.sha256(Array("\(change.wabaID)\n\(change.field)\n\(time.seconds)\n".utf8) + change.value.rendered())
    }
    self.init(wabaID: change.wabaID, meaning: meaning, digest: digest)
  }

  private static func meaning(of change: AccountChange) -> Notices.Meaning? {
    switch change.meaning {
    case .templateStatus(let template, let event, let reason, let title):
      let name = name(template)
      // How unpausing is told is not documented for certain: all three ways are taken (meta-cloud-api §5).
      let approves = ["APPROVED", "REINSTATED", "UNARCHIVED"].contains(event) || title == "UNPAUSE"
      // Its quality is low, but it is sent all the same.
      if event == "FLAGGED" { return .templateQuality(name, quality: "RED") }
      return .templateStatus(name, status: approves ? "APPROVED" : event, detail: title ?? reason ?? "")
    case .templateQuality(let template, _, let now):
      return .templateQuality(name(template), quality: now.word.uppercased())
    case .templateCategory(let template, let category, let coming):
      return coming ? .seen(event: "template_category_coming") : .templateCategory(name(template), category)
    case .numberEvent(let display, let event, let tier):
      if event == "FLAGGED" { return .numberFlagged(display: digits(display)) }
      if event == "THROUGHPUT_UPGRADE" { return .numberThroughput(display: digits(display), perSecond: 1000) }
      if let tier { return .tier(tier.word) }
      return .seen(event: event)
    case .portfolioTier(let tier): return .tier(tier.word)
    case .accountEvent(let event, let restrictions, let banState, _):
      let forbidden = restrictions.contains { $0.type == "RESTRICTED_BIZ_INITIATED_MESSAGING" }
      if forbidden || banState == "DISABLE" || event == "ACCOUNT_DELETED" || event == "ACCOUNT_OFFBOARDED" {
        return .accountStopped(event: event)
      }
      return .seen(event: event)
    case .alert(_, _, let type, _, _): return .seen(event: type)
    case .numberName(_, let decision): return .seen(event: "NAME_" + decision)
    case .security(_, let event): return .seen(event: event)
    case .other: return nil
    }
  }

  private static func name(_ template: AccountMeaning.TemplateReference) -> Notices.TemplateName {
    Notices.TemplateName(metaID: template.id, name: template.name, language: template.language)
  }

  private static func digits(_ display: String) -> String { String(display.filter { $0.isASCII && $0.isNumber }) }
}
