import Domain
import Governor
import Money
import Schedule
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
    // Who is written to by others in the meantime is not known; with what is used now it would wait.
    if let tier = ForecastTime.limit(checked), let people = time.people, recipients > people.left {
      add(
        "over_tier",
        "Meta allows this portfolio \(tier) people in 24 hours, \(people.used) of them are used; the campaign has "
          + "\(recipients) and waits for the others.",
        "تسمح ميتا لهذه المحفظة بعدد \(tier) شخص خلال 24 ساعة، استُخدم منها \(people.used)؛ الحملة تضم \(recipients) "
          + "وتنتظر حتى يحين دور الباقين.")
    }
    if time.run.stretches.contains(where: { $0.limit == .warmUp }) {
      add(
        "warming_up", "A number is warming up: it takes few people a day and the campaign waits in between.",
        "أحد الأرقام جديد ويزداد تدريجيًا؛ لذلك ستنتظر الحملة على فترات.")
    }
    if !time.shut.isEmpty {
      add(
        "window_too_short",
        "The hours never open in: \(time.shut.joined(separator: "; ")). A country with several zones needs the window in "
          + "all of them at once.",
        "لا تُفتح ساعات الإرسال أبدًا في: \(time.shut.joined(separator: "؛ ")). البلد ذو المناطق الزمنية المتعددة يحتاج "
          + "إلى نافذة تشملها كلها معًا.")
    }
    // Marketing lives for 30 days and nobody can choose: nothing to act on. The forecast says it all the same.
    if !time.spills.isEmpty, time.life.isOwn || TimeToLive.isChoosable(of: template.category) {
      let zones = (english: time.spills.prefix(5).joined(separator: "; "), arabic: time.spills.prefix(5).joined(separator: "؛ "))
      let hours = time.life.duration.nanoseconds / 3_600_000_000_000
      let (life, arabicLife) =
        hours > 0 ? ("\(hours) h", "\(hours) ساعة") : ("\(time.life.duration.nanoseconds / 60_000_000_000) min",
          "\(time.life.duration.nanoseconds / 60_000_000_000) دقيقة")
      add(
        "may_arrive_late",
        "Meta tries to deliver for \(life): who is offline when the hours end may get it when they are closed, in "
          + "\(zones.english). A shorter time to live is set when the template is made (message_send_ttl_seconds).",
        "تحاول ميتا التسليم لمدة \(arabicLife)؛ من كان غير متصل عند انتهاء الساعات قد تصله الرسالة خارجها في "
          + "\(zones.arabic). تُحدَّد مدة أقصر عند إنشاء القالب (message_send_ttl_seconds).")
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
}
