import Domain
import Schedule
import Store

/// The digest of a day in words: what went out, what it cost, what comes, what needs somebody.
struct DigestText {
  let words: AlertWords
  let zone: Zone
  private var isArabic: Bool { words.language == .arabic }

  init(_ language: AlertWords.Language, zone: Zone) { (words, self.zone) = (AlertWords(language), zone) }

  func mail(_ figures: DigestFigures, of day: CivilDate) -> MailText {
    var lines = [
      isArabic ? "ملخص يوم \(day) بتوقيت \(zone.name)" : "Digest of \(day) (\(zone.name))", "",
      isArabic ? "أُرسل: \(figures.sent)" : "Sent: \(figures.sent)",
      isArabic ? "وصل: \(figures.delivered)" : "Delivered: \(figures.delivered)",
      isArabic ? "لم يصل: \(figures.failed)" : "Not delivered: \(figures.failed)",
      isArabic ? "طلبوا الإيقاف: \(figures.optOuts)" : "Opted out: \(figures.optOuts)",
      (isArabic ? "التكلفة: " : "Cost: ")
        + (figures.costs.isEmpty
          ? (isArabic ? "لا شيء" : "none")
          : figures.costs.map { "\($0.amount.text(minimumDecimals: 2)) \($0.currency)" }.joined(separator: ", ")),
    ]
    for budget in figures.budgets {
      let unit = budget.currency ?? (isArabic ? "رسالة" : "messages")
      let (reserved, limit) = (text(budget.reserved, budget.currency), text(budget.limit, budget.currency))
      lines.append(
        isArabic
          ? "ميزانية \(scope(budget.scope)) \(budget.name) هذا الشهر: \(reserved) من \(limit) \(unit)"
          : "Budget of \(budget.scope.word) \(budget.name) this month: \(reserved) of \(limit) \(unit)")
    }
    lines += ["", isArabic ? "الجودة" : "Quality"]
    for number in figures.numbers {
      let name = number.label.isEmpty ? number.id : "\(number.label) (\(number.id))"
      lines.append("- \(name): \(words.quality(number.quality))" + (number.tier.isEmpty ? "" : ", \(number.tier)"))
    }
    lines += ["", isArabic ? "خطة اليوم" : "Today"]
    for campaign in figures.plan {
      let people = campaign.recipients.map { isArabic ? " (\($0) شخصًا)" : " (\($0) people)" } ?? ""
      let time = campaign.startAt.map { String(zone.text($0).prefix(16)) } ?? (isArabic ? "الآن" : "now")
      lines.append("- \(campaign.name): \(time)\(people)")
    }
    if figures.plan.isEmpty { lines.append(isArabic ? "- لا حملات اليوم" : "- no campaigns") }
    lines += ["", isArabic ? "ما يحتاج إليك" : "What needs you"]
    let needs = needs(figures)
    lines += needs.isEmpty ? [isArabic ? "- لا شيء" : "- nothing"] : needs.map { "- " + $0 }
    let subject =
      isArabic
      ? "قافلة: ملخص \(day): أُرسل \(figures.sent)، وصل \(figures.delivered)"
      : "Qafila: digest of \(day): \(figures.sent) sent, \(figures.delivered) delivered"
    return MailText(subject: subject, lines: lines)
  }

  private func needs(_ figures: DigestFigures) -> [String] {
    var needs = figures.pauses.map { pause in
      let name = pause.scope == .business ? "" : " \(pause.name)"
      return isArabic
        ? "متوقف: \(scope(pause.scope))\(name)، والسبب: \(pause.reason)"
        : "Paused: \(pause.scope.word)\(name): \(pause.reason)"
    }
    if figures.tasks > 0 {
      needs.append(
        isArabic
          ? "طلبات خصوصية تنتظر شخصًا: \(figures.tasks)" : "Requests about privacy that wait for a person: \(figures.tasks)")
    }
    if figures.undelivered > 0 {
      needs.append(
        isArabic
          ? "تنبيهات لم تُسلَّم إلى نقاط الاستقبال: \(figures.undelivered)"
          : "What endpoints have not taken: \(figures.undelivered) (qafila endpoints list)")
    }
    for number in figures.numbers where ["YELLOW", "RED"].contains(number.quality.uppercased()) {
      needs.append(
        isArabic
          ? "جودة الرقم \(number.id): \(words.quality(number.quality))"
          : "Quality of number \(number.id): \(words.quality(number.quality))")
    }
    return needs
  }

  private func text(_ amount: Amount, _ currency: String?) -> String {
    currency == nil ? String(amount.billionths / 1_000_000_000) : amount.text(minimumDecimals: 2)
  }

  private func scope(_ scope: PauseScope) -> String {
    switch scope {
    case .business: "كل شيء"
    case .portfolio: "المحفظة"
    case .account: "الحساب"
    case .token: "رمز الوصول"
    case .number: "الرقم"
    case .template: "القالب"
    case .campaign: "الحملة"
    }
  }
}

extension Zone {
  /// Date and time there, as people write it.
  func text(_ instant: Instant) -> String {
    instant.rfc3339(offset: offset(at: instant)).replacing("T", with: " ")
  }
}
