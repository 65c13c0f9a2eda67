import Domain
import Store

/// The sentences of product §4: what a state means and whether somebody must act. English and Arabic stand together.
enum Sentences {
  static func campaign(
    _ state: CampaignState, _ language: Language, time: String = "", zone: String = "", rate: String = "",
    who: String = "",
    reason: String = "", waiting: Int = 0, sent: Int = 0, never: Int = 0
  ) -> String {
    switch (state, language) {
    case (.draft, .english): "Saved. Nothing is sent until someone launches it."
    case (.draft, .arabic): "محفوظة كمسودة؛ لن يُرسل شيء حتى يطلقها أحد."
    case (.awaitingApproval, .english): "A second person must approve the text, the people and the cost."
    case (.awaitingApproval, .arabic): "بانتظار موافقة شخص ثانٍ على النص والجمهور والتكلفة."
    case (.scheduled, .english): "Starts at \(time) (\(zone))."
    case (.scheduled, .arabic): "تبدأ في \(time) بتوقيت \(zone)."
    case (.preparing, .english): "The list is being built; nothing has been sent."
    case (.preparing, .arabic): "يجري إعداد قائمة المستلمين؛ لم يُرسل شيء بعد."
    case (.sending, .english):
      rate.isEmpty ? "Messages are leaving now." : "Messages are leaving now, \(rate) per second."
    case (.sending, .arabic): rate.isEmpty ? "الرسائل تُرسل الآن." : "الرسائل تُرسل الآن بمعدل \(rate) في الثانية."
    case (.waiting, .english): "Nothing is wrong: continues by itself at \(time) (\(reason))."
    case (.waiting, .arabic): "لا توجد مشكلة؛ تُستأنف تلقائيًا في \(time) بسبب \(reason)."
    case (.paused, .english): "Stopped by \(who) because \(reason); \(waiting) people wait; someone must resume it."
    case (.paused, .arabic): "أوقفها \(who) بسبب \(reason)؛ ينتظر \(waiting) شخصًا حتى يستأنفها أحد."
    case (.settling, .english): "All handed to Meta; waiting for delivery results until \(time)."
    case (.settling, .arabic): "سُلّمت كل الرسائل إلى ميتا؛ ننتظر نتائج التسليم حتى \(time)."
    case (.completed, .english): "Every person has a final result; anything later appears as an adjustment."
    case (.completed, .arabic): "لكل شخص نتيجة نهائية؛ وأي تغيير لاحق يظهر كتسوية."
    case (.cancelled, .english): "Stopped for good by \(who): \(sent) sent, \(never) never will be."
    case (.cancelled, .arabic): "ألغاها \(who) نهائيًا: أُرسل إلى \(sent) ولن يُرسل إلى \(never)."
    case (.failed, .english): "Could not start: \(reason). Nothing was sent."
    case (.failed, .arabic): "تعذّر البدء: \(reason). لم يُرسل شيء."
    }
  }

  static func recipient(_ state: RecipientState, _ language: Language, reason: String = "", time: String = "") -> String
  {
    switch (state, language) {
    case (.excluded, .english): "Left out before the start: \(reason)."
    case (.excluded, .arabic): "استُبعد قبل البدء: \(reason)."
    case (.queued, .english): "In line, not sent yet."
    case (.queued, .arabic): "في قائمة الانتظار ولم يُرسل بعد."
    case (.held, .english): "Waits until \(time): \(reason). Sent by itself afterwards."
    case (.held, .arabic): "مؤجَّل حتى \(time): \(reason)، ثم يُرسل تلقائيًا."
    case (.skipped, .english): "Will not be sent: \(reason)."
    case (.skipped, .arabic): "لن يُرسل: \(reason)."
    case (.unknown, .english):
      "Handed over but Meta's answer was lost; never repeated blindly; Meta's receipt will decide."
    case (.unknown, .arabic): "سُلّمت ولم يصلنا رد ميتا؛ لن نكررها، وسيحسمها إشعار ميتا."
    case (.unresolved, .english):
      "Handed over, Meta's answer was lost and no receipt came; not repeated; a late receipt still decides."
    case (.unresolved, .arabic): "سُلّمت ولم يصل رد ميتا ولا إشعارها؛ لن نكررها، ويبقى أي إشعار متأخر هو الحاسم."
    case (.accepted, .english): "Meta took it; not on the phone yet, not charged."
    case (.accepted, .arabic): "قبلتها ميتا ولم تصل الهاتف بعد، ولم تُحتسب."
    case (.heldByMeta, .english): "Meta holds it while it checks the template's quality (usually under an hour)."
    case (.heldByMeta, .arabic): "تحتجزها ميتا لفحص جودة القالب (أقل من ساعة عادةً)."
    case (.sent, .english): "One tick: on its way, not charged yet."
    case (.sent, .arabic): "علامة واحدة: في الطريق، ولم تُحتسب بعد."
    case (.delivered, .english): "Two ticks: on the phone; this is when Meta charges."
    case (.delivered, .arabic): "علامتان: وصلت الهاتف، وعندها تحتسب ميتا."
    case (.read, .english): "Opened (people may hide this)."
    case (.read, .arabic): "قُرئت (قد يخفي الشخص ذلك)."
    case (.failed, .english): "Not delivered: \(reason). Not charged."
    case (.failed, .arabic): "لم تصل: \(reason). لم تُحتسب."
    case (.noResult, .english):
      "No final receipt in 37 days; closed without a charge; reconciliation shows if Meta billed it."
    case (.noResult, .arabic): "لم تصل نتيجة خلال 37 يومًا؛ أُغلقت دون احتساب، وتُراجَع مع فاتورة ميتا."
    }
  }

  /// What users see of a number.
  enum NumberState: String { case ready, warmingUp = "warming_up", paused, disconnected }

  static func number(
    _ state: NumberState, _ language: Language, who: String = "", reason: String = "", people: Int = 0
  ) -> String {
    switch (state, language) {
    case (.warmingUp, .english): "New number: \(people) people a day, rising."
    case (.warmingUp, .arabic): "رقم جديد: \(people) شخصًا يوميًا ويزداد تدريجيًا."
    case (.ready, .english): "Sends normally."
    case (.ready, .arabic): "يُرسل بشكل طبيعي."
    case (.paused, .english): "Stopped by \(who): \(reason)."
    case (.paused, .arabic): "أوقفه \(who): \(reason)."
    case (.disconnected, .english): "Not registered or removed at Meta."
    case (.disconnected, .arabic): "غير مسجَّل لدى ميتا أو أُزيل."
    }
  }

  /// Meta's quality in product §4's words.
  static func quality(_ meta: String, _ language: Language) -> String {
    AlertWords(language == .arabic ? .arabic : .english).quality(meta)
  }

  /// A reason's word as a person reads it: `opted_out` is "opted out".
  static func reason(_ word: String, _ language: Language) -> String {
    guard language == .arabic else {
      return switch word {
      case "people_limit": "Meta's limit of people in 24 hours"
      case "warm_up": "the number is new and warms up"
      default: word.replacing("_", with: " ")
      }
    }
    return switch word {
    case "duplicate": "مكرر في قائمة أخرى"
    case "opted_out": "طلب الإيقاف"
    case "no_opt_in": "لا توجد موافقة مسجلة"
    case "suspect_phone": "رقم مشكوك فيه"
    case "sender_own_number": "رقم المرسل نفسه"
    case "blocked_country": "بلد غير مسموح"
    case "undeliverable": "تعذّر التسليم إليه مؤخرًا"
    case "holdout": "ضمن مجموعة المقارنة"
    case "parameter_missing": "قيمة ناقصة"
    case "parameter_invalid": "قيمة غير صالحة"
    case "text_too_long": "النص أطول من المسموح"
    case "expired": "انتهت المهلة"
    case "cancelled": "أُلغيت الحملة"
    case "moved": "نُقل إلى رقم آخر"
    case "erased": "مُحيت بياناته"
    case "frequency_cap": "بلغ حد الرسائل"
    case "throttled": "حد سرعة الرقم"
    case "pair": "حد الرسائل إلى الشخص نفسه"
    case "transient": "عطل مؤقت لدى ميتا"
    case "marketing_limit": "حد ميتا لعروض هذا الشخص"
    case "quiet_hours": "ساعات الهدوء"
    case "daily_limit": "الحد اليومي"
    case "people_limit": "حد ميتا لعدد الأشخاص خلال 24 ساعة"
    case "warm_up": "الرقم جديد ويزداد تدريجيًا"
    case "pilot": "انتظار نتائج العيّنة الأولى"
    case "friday_prayer": "صلاة الجمعة"
    case "public_holiday": "عطلة رسمية"
    case "ramadan_hours": "ساعات رمضان"
    default: word.replacing("_", with: " ")
    }
  }
}
