import Consent
import Domain
import Postgres

/// A segment as a condition over `contact c`. Names and values alike become parameters: nothing a user typed is SQL text,
/// and nothing a contact's attribute holds can make the statement fail.
struct SegmentSQL {
  let now: Instant
  private(set) var arguments: Freeze.Arguments

  /// The condition, which is true or false and never null.
  static func condition(_ segment: Segment, now: Instant, _ arguments: inout Freeze.Arguments) -> String {
    var compiler = SegmentSQL(now: now, arguments: arguments)
    let text = compiler.condition(segment)
    arguments = compiler.arguments
    return text
  }

  private mutating func condition(_ segment: Segment) -> String {
    switch segment {
    case .object(let members), .and(let members): joined(members.map { condition($0) }, " and ")
    case .or(let members): joined(members.map { condition($0) }, " or ")
    case .not(let member): "not " + condition(member)
    case .attributes(let tests): joined(tests.map { condition($0) }, " and ")
    case .test(let test): condition(test)
    }
  }

  private func joined(_ parts: [String], _ word: String) -> String { "(" + parts.joined(separator: word) + ")" }

  private mutating func condition(_ test: Segment.Test) -> String {
    joined(test.comparisons.map { "coalesce(\(condition($0, of: test.field)), false)" }, " and ")
  }

  private mutating func condition(_ comparison: Segment.Comparison, of field: Segment.Field) -> String {
    switch comparison {
    case .differs(let operand): return "not coalesce(\(condition(.equals(operand), of: field)), false)"
    case .equals(let operand): return isOne(of: [operand], field)
    case .oneOf(let operands): return isOne(of: operands, field)
    case .prefix(let text):
      let folded = ArabicFolding.folded(text)
      return "starts_with(\(self.folded(value(field), for: [folded])), \(arguments.add(.text(folded))))"
    case .exists(let wanted):
      let value = field == .daysSinceMessage ? SegmentSQL.lastTouch("t.at") : "nullif(btrim(\(value(field))), '')"
      return "\(value) is \(wanted ? "not null" : "null")"
    case .ordered(let order, let operand): return ordered(order, operand, field)
    }
  }

  /// The stored text of a field.
  private mutating func value(_ field: Segment.Field) -> String {
    switch field {
    case .attribute(let name): "(c.attributes->>\(arguments.add(.text(name))))"
    case .language: "(c.attributes->>'language')"
    case .country: "c.country"
    case .audience, .lastOutcome, .daysSinceMessage: preconditionFailure("\(field.name) is no stored text")
    }
  }

  // MARK: Equality

  private mutating func isOne(of operands: [Segment.Operand], _ field: Segment.Field) -> String {
    let texts = operands.compactMap { operand in
      if case .text(let text) = operand { text } else { nil }
    }
    switch field {
    case .audience:
      let ids = arguments.add(.int8s(operands.map { Segment.audience($0).rawValue }))
      return """
        exists (select from audience_member s where s.audience_id = any(\(ids)) and s.contact_id = c.contact_id)
        """
    case .country: return "c.country = any(\(arguments.add(.texts(texts))))"
    case .language:
      // "ar" also means who wrote ar_EG; "ar-eg" means only those.
      let tag = "translate(lower(btrim(c.attributes->>'language')), '_', '-')"
      let tags = arguments.add(.texts(texts))
      return "(\(tag) = any(\(tags)) or split_part(\(tag), '-', 1) = any(\(tags)))"
    case .lastOutcome:
      return "coalesce(\(SegmentSQL.lastOutcome), 'never') = any(\(arguments.add(.texts(texts))))"
    case .daysSinceMessage: preconditionFailure("days are compared by order")
    case .attribute:
      var ways: [String] = []
      if !texts.isEmpty {
        let folded = texts.map(ArabicFolding.folded)
        ways.append("\(self.folded(value(field), for: folded)) = any(\(arguments.add(.texts(folded))))")
      }
      let numbers = operands.compactMap { operand in
        if case .number(let text) = operand { text } else { nil }
      }
      if !numbers.isEmpty {
        ways.append("\(SegmentSQL.number(value(field))) = any(\(arguments.add(.texts(numbers)))::numeric[])")
      }
      return joined(ways, " or ")
    }
  }

  /// `ArabicFolding.folded` of a stored text, as far as these folded texts tell it apart.
  mutating func folded(_ value: String, for texts: [String]) -> String {
    let spellings = ArabicSpellings(of: texts)
    var text = value
    for ligature in spellings.ligatures {
      text = "replace(\(text), \(arguments.add(.text(ligature.written))), \(arguments.add(.text(ligature.folded))))"
    }
    if !spellings.written.isEmpty {
      text = "translate(\(text), \(arguments.add(.text(spellings.written))), \(arguments.add(.text(spellings.folded))))"
    }
    text = "regexp_replace(\(text), \(arguments.add(.text(ArabicSpellings.vanishing))), '', 'g')"
    if texts.contains(where: { $0.contains(" ") }) {
      text = "regexp_replace(\(text), \(arguments.add(.text(ArabicSpellings.white))), ' ', 'g')"
    }
    return text
  }

  // MARK: Order

  private mutating func ordered(_ order: Segment.Order, _ operand: Segment.Operand, _ field: Segment.Field) -> String {
    let sign =
      switch order {
      case .above: ">"
      case .atLeast: ">="
      case .below: "<"
      case .atMost: "<="
      }
    switch (field, operand) {
    case (.daysSinceMessage, .number(let days)):
      // More days means an earlier instant.
      let instant = arguments.add(.timestamptz(now - .seconds(86_400 * (Int64(days) ?? 0))))
      return "\(instant) \(sign) \(SegmentSQL.lastTouch("t.at"))"
    case (_, .number(let number)):
      return "\(SegmentSQL.number(value(field))) \(sign) \(arguments.add(.text(number)))::numeric"
    case (_, .date(let day)):
      return "\(SegmentSQL.day(value(field))) \(sign) \(arguments.add(.text(day.description)))"
    case (_, .text): preconditionFailure("texts have no order here")
    }
  }

  private static func latinDigits(_ value: String) -> String {
    "translate(btrim(\(value)), '٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹٫', '01234567890123456789.')"
  }

  /// The number that a text spells, else null.
  private static func number(_ value: String) -> String {
    let text = latinDigits(value)
    return "(case when \(text) ~ '^[+-]?[0-9]{1,30}([.][0-9]{1,30})?$' then \(text)::numeric end)"
  }

  /// The day that a text spells as `YYYY-MM-DD`, with or without a time, else null. As text it has the order of days.
  private static func day(_ value: String) -> String {
    let text = latinDigits(value)
    return """
      (case when \(text) ~ '^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])($|[T ])' then left(\(text), 10) end) \
      collate "C"
      """
  }

  // MARK: What was sent

  private static func lastTouch(_ column: String) -> String {
    "(select \(column) from touch t where t.contact_id = c.contact_id order by t.n desc limit 1)"
  }

  /// Null for who was never written to. A message without an answer yet, or with one that was lost, is `unknown`.
  private static let lastOutcome = """
    (select case
        when s.standing >= 40 then 'read'
        when s.standing = 30 then 'delivered'
        when s.standing = 20 then 'failed'
        when s.standing = 10 then 'sent'
        when f.outcome in (4, 5) then 'accepted'
        when f.outcome = 3 then 'failed'
        else 'unknown' end
      from (select t.campaign_id, t.seq, t.attempt from touch t where t.contact_id = c.contact_id
        order by t.n desc limit 1) t
      left join fact f on f.campaign_id = t.campaign_id and f.seq = t.seq and f.attempt = t.attempt
      left join standing s on s.campaign_id = t.campaign_id and s.seq = t.seq and s.attempt = t.attempt)
    """
}
