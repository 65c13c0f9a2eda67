import Domain
import Store

/// A segment as a sentence, so that whoever wrote it sees whether it says what was meant.
struct SegmentSentence {
  let language: Language
  /// Names of the audiences it mentions.
  let audiences: [Audience.ID: String]

  /// `People of “Ramadan” whose city is “القاهرة” and whose age is at least 18.`
  func text(_ part: CampaignSpec.AudiencePart) -> String {
    let lists = joined(part.ids.map { quoted(audiences[$0] ?? $0.description) }, or: true)
    let conditions = part.segments.map { phrase($0, inner: false) }
    switch language {
    case .english:
      return conditions.isEmpty
        ? "Everybody of \(lists)." : "People of \(lists) for whom \(joined(conditions, or: false))."
    case .arabic:
      return conditions.isEmpty ? "كل من في \(lists)." : "من هم في \(lists) بشرط أن \(joined(conditions, or: false))."
    }
  }

  func text(_ segment: Segment) -> String {
    switch language {
    case .english: "People for whom \(phrase(segment, inner: false))."
    case .arabic: "من يتحقق فيهم أن \(phrase(segment, inner: false))."
    }
  }

  private func phrase(_ segment: Segment, inner: Bool) -> String {
    func several(_ members: [Segment], or: Bool) -> String {
      let text = joined(members.map { phrase($0, inner: members.count > 1) }, or: or)
      return inner && members.count > 1 ? "(\(text))" : text
    }
    switch segment {
    case .object(let members), .and(let members): return several(members, or: false)
    case .or(let members): return several(members, or: true)
    case .not(let member):
      let text = phrase(member, inner: false)
      return language == .english ? "it is not so that (\(text))" : "لا يصح أن (\(text))"
    case .attributes(let tests): return joined(tests.map(phrase), or: false)
    case .test(let test): return phrase(test)
    }
  }

  private func phrase(_ test: Segment.Test) -> String {
    joined(test.comparisons.map { phrase($0, of: test.field) }, or: false)
  }

  private func phrase(_ comparison: Segment.Comparison, of field: Segment.Field) -> String {
    let name = name(field)
    let isEnglish = language == .english
    switch comparison {
    case .equals(let operand):
      return isEnglish ? "\(name) is \(shown(operand, field))" : "\(name) هو \(shown(operand, field))"
    case .differs(let operand):
      return isEnglish ? "\(name) is not \(shown(operand, field))" : "\(name) ليس \(shown(operand, field))"
    case .oneOf(let operands):
      let list = joined(operands.map { shown($0, field) }, or: true)
      return isEnglish ? "\(name) is \(list)" : "\(name) هو \(list)"
    case .prefix(let text):
      return isEnglish ? "\(name) begins with \(quoted(text))" : "\(name) يبدأ بـ\(quoted(text))"
    case .exists(let wanted):
      if field == .daysSinceMessage {
        return switch (wanted, isEnglish) {
        case (true, true): "they were written to before"
        case (false, true): "they were never written to"
        case (true, false): "سبقت مراسلتهم"
        case (false, false): "لم تسبق مراسلتهم"
        }
      }
      return switch (wanted, isEnglish) {
      case (true, true): "\(name) is known"
      case (false, true): "\(name) is not known"
      case (true, false): "\(name) معروف"
      case (false, false): "\(name) غير معروف"
      }
    case .ordered(let order, let operand):
      let isDay = if case .date = operand { true } else { false }
      let word: String =
        switch (order, isEnglish, isDay) {
        case (.above, true, false): "is more than"
        case (.atLeast, true, false): "is at least"
        case (.below, true, false): "is less than"
        case (.atMost, true, false): "is at most"
        case (.above, true, true): "is after"
        case (.atLeast, true, true): "is on or after"
        case (.below, true, true): "is before"
        case (.atMost, true, true): "is on or before"
        case (.above, false, false): "أكبر من"
        case (.atLeast, false, false): "لا يقل عن"
        case (.below, false, false): "أقل من"
        case (.atMost, false, false): "لا يزيد على"
        case (.above, false, true): "بعد"
        case (.atLeast, false, true): "في أو بعد"
        case (.below, false, true): "قبل"
        case (.atMost, false, true): "في أو قبل"
        }
      return "\(name) \(word) \(shown(operand, field))"
    }
  }

  private func name(_ field: Segment.Field) -> String {
    switch (field, language) {
    case (.attribute(let name), .english): "their “\(name)”"
    case (.attribute(let name), .arabic): "«\(name)»"
    case (.audience, .english): "one of their lists"
    case (.audience, .arabic): "إحدى قوائمهم"
    case (.country, .english): "the country of their phone"
    case (.country, .arabic): "بلد الهاتف"
    case (.language, .english): "their language"
    case (.language, .arabic): "لغتهم"
    case (.lastOutcome, .english): "what became of their last message"
    case (.lastOutcome, .arabic): "مآل آخر رسالة إليهم"
    case (.daysSinceMessage, .english): "the number of days since their last message"
    case (.daysSinceMessage, .arabic): "عدد الأيام منذ آخر رسالة إليهم"
    }
  }

  private func shown(_ operand: Segment.Operand, _ field: Segment.Field) -> String {
    switch operand {
    case .number(let text): return text
    case .date(let day): return day.description
    case .text(let text):
      switch field {
      case .audience: return quoted(Int64(text).flatMap { audiences[Audience.ID($0)] } ?? text)
      case .country, .language: return text
      case .lastOutcome: return outcome(text)
      case .attribute, .daysSinceMessage: return quoted(text)
      }
    }
  }

  private func outcome(_ word: String) -> String {
    guard language == .arabic else { return word == "never" ? "“never written to”" : "“\(word)”" }
    return switch Segment.LastOutcome(rawValue: word) {
    case .never: "«لم يُراسَل قط»"
    case .failed: "«لم تصل»"
    case .unknown: "«غير معروف»"
    case .accepted: "«قبلتها ميتا»"
    case .sent: "«أُرسلت»"
    case .delivered: "«وصلت»"
    case .read: "«قُرئت»"
    case nil: word
    }
  }

  private func quoted(_ text: String) -> String { language == .english ? "“\(text)”" : "«\(text)»" }

  private func joined(_ parts: [String], or: Bool) -> String {
    switch (or, language) {
    case (true, .english): parts.joined(separator: " or ")
    case (false, .english): parts.joined(separator: " and ")
    case (true, .arabic): parts.joined(separator: " أو ")
    case (false, .arabic): parts.joined(separator: " و")
    }
  }
}
