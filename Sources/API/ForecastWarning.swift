import Domain
import Governor
import Money
import Store

/// What somebody should mind before a launch, in words of both languages.
struct ForecastWarning: Sendable {
  let code: String
  let english: String
  let arabic: String

  static func all(
    _ checked: CampaignCheck.Checked, time: ForecastTime, cost: ForecastCost, recipients: Int,
    others: [Number.ID: Int]
  ) -> [ForecastWarning] {
    var warnings: [ForecastWarning] = []
    func add(_ code: String, _ english: String, _ arabic: String) {
      warnings.append(ForecastWarning(code: code, english: english, arabic: arabic))
    }
    let template = checked.template.seen
    if template.status != "APPROVED" {
      add(
        "template_not_approved", "Meta's status of the template is \(template.status): it can't be launched yet.",
        "حالة القالب لدى ميتا هي \(template.status)؛ لا يمكن الإطلاق بعد.")
    }
    // The numbers of one account share its portfolio's limit; the largest that Meta told of holds.
    let tiers = checked.numbers.map { people(ofTier: $0.tier) }
    if let tier = tiers.compactMap({ $0 }).max(), recipients > tier {
      add(
        "over_tier",
        "Meta allows this portfolio \(tier) people in 24 hours; the campaign has \(recipients).",
        "تسمح ميتا لهذه المحفظة بعدد \(tier) شخص خلال 24 ساعة، والحملة تضم \(recipients).")
    }
    if !time.shut.isEmpty {
      add(
        "window_too_short",
        "The hours never open in: \(time.shut.joined(separator: "; ")). A country with several zones needs the window in "
          + "all of them at once.",
        "لا تُفتح ساعات الإرسال أبدًا في: \(time.shut.joined(separator: "؛ ")). البلد ذو المناطق الزمنية المتعددة يحتاج "
          + "إلى نافذة تشملها كلها معًا.")
    }
    if time.run.expired > 0, time.shut.isEmpty || checked.draft.spec.schedule.end != nil {
      add(
        "does_not_finish", "\(time.run.expired) people would not be written to before the end.",
        "لن يصل الدور إلى \(time.run.expired) شخصًا قبل نهاية الحملة.")
    }
    switch cost.standing {
    case .confirmed: break
    case .stale(let from, _):
      add(
        "rate_card_stale", "The newest rate card is of \(from): Meta may have changed prices since.",
        "أحدث قائمة أسعار بتاريخ \(from)؛ ربما غيّرت ميتا الأسعار بعدها.")
    case .missing:
      add(
        "rate_card_missing", "There is no complete rate card for the account's currency.",
        "لا توجد قائمة أسعار كاملة بعملة الحساب.")
    }
    if time.run.uncovered > 0 {
      add(
        "budget_too_small", "The budget covers \(recipients - time.run.uncovered) of \(recipients) people.",
        "تكفي الميزانية لعدد \(recipients - time.run.uncovered) من أصل \(recipients) شخصًا.")
    }
    if cost.unpriced > 0 {
      add(
        "unpriced", "\(cost.unpriced) people have no known price; they are in none of the sums.",
        "لا يُعرف سعر \(cost.unpriced) شخصًا، وليسوا ضمن أي مجموع.")
    }
    let sharing = others.values.max() ?? 0
    if sharing > 0 {
      add(
        "numbers_shared", "Other campaigns send from these numbers now (\(sharing)); they share the rate.",
        "حملات أخرى (\(sharing)) ترسل الآن من هذه الأرقام وتتقاسم سرعتها.")
    }
    return warnings
  }

  /// Meta's word for the people that a portfolio may write to in 24 hours; nil for no limit and for words not known.
  static func people(ofTier tier: String) -> Int? {
    guard let word = tier.split(separator: "_").last else { return nil }
    if word.hasSuffix("K") { return Int(word.dropLast()).map { $0 * 1000 } }
    return Int(word)
  }
}
