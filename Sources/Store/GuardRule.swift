/// The rules by which sending stops by itself. The word stands in `pause.rule`; the sentence is its reason as recorded, and
/// the API says it in the reader's language.
public enum GuardRule: String, CaseIterable, Sendable {
  case qualityYellow = "quality_yellow"
  case qualityRed = "quality_red"
  case numberFlagged = "number_flagged"
  case numberStopped = "number_stopped"
  case templatePaused = "template_paused"
  case templateStopped = "template_stopped"
  case templateCategory = "template_category"
  case accountRestricted = "account_restricted"
  case optOutRate = "opt_out_rate"
  case undeliverableRate = "undeliverable_rate"
  case receiptsMissing = "receipts_missing"
  case pilot
  case heldForQuality = "held_for_quality"
  case readRate = "read_rate"
  case budgetExhausted = "budget_exhausted"
  case budgetUnpriced = "budget_unpriced"

  public var sentence: String {
    switch self {
    case .qualityYellow: "the number's quality at Meta fell to medium"
    case .qualityRed: "the number's quality at Meta fell to low"
    case .numberFlagged: "Meta flagged the number for its quality"
    case .numberStopped: "Meta's status of the number forbids sending"
    case .templatePaused, .templateStopped: "Meta paused or disabled the template"
    case .templateCategory: "Meta moved the template to a dearer category"
    case .accountRestricted: "Meta restricted the account"
    case .optOutRate: "more people opted out than the campaign allows"
    case .undeliverableRate: "more numbers are without WhatsApp than the campaign allows; clean the list"
    case .receiptsMissing: "Meta's receipts stopped coming; check the webhook"
    case .heldForQuality: "Meta holds messages while it checks the template's quality"
    case .readRate: "fewer people read it than half of what is usual for the number"
    case .pilot: "the first people's answers do not show that the campaign is welcome"
    case .budgetExhausted: "the budget is used up; raising it lets the campaign go on"
    case .budgetUnpriced: "people have no known price, so no budget can cover them; load the rate card"
    }
  }

  /// Why the pace was halved before the rule's limit was reached.
  public var warning: String {
    switch self {
    case .optOutRate: "opt-outs rise towards the campaign's limit: half the pace from here on"
    case .undeliverableRate: "numbers without WhatsApp rise towards the campaign's limit: half the pace from here on"
    case .heldForQuality: "Meta holds messages while it checks the template's quality: half the pace from here on"
    case .readRate: "fewer people read it than half of what is usual for the number: half the pace from here on"
    default: sentence
    }
  }

  public var arabicSentence: String {
    switch self {
    case .qualityYellow: "انخفاض جودة الرقم لدى ميتا إلى متوسطة"
    case .qualityRed: "انخفاض جودة الرقم لدى ميتا إلى منخفضة"
    case .numberFlagged: "وضعت ميتا علامة على الرقم بسبب جودته"
    case .numberStopped: "حالة الرقم لدى ميتا تمنع الإرسال"
    case .templatePaused, .templateStopped: "أوقفت ميتا القالب أو عطّلته"
    case .templateCategory: "نقلت ميتا القالب إلى فئة أغلى"
    case .accountRestricted: "قيّدت ميتا الحساب"
    case .optOutRate: "طلب الإيقاف عدد أكبر مما تسمح به الحملة"
    case .undeliverableRate: "أرقام بلا واتساب أكثر مما تسمح به الحملة؛ نظّف القائمة"
    case .receiptsMissing: "توقفت إشعارات ميتا عن الوصول؛ افحص رابط الاستقبال"
    case .heldForQuality: "تحتجز ميتا رسائل لفحص جودة القالب"
    case .readRate: "نسبة القراءة أقل من نصف المعتاد لهذا الرقم"
    case .pilot: "نتائج أول المستلمين لا تُثبت أن الحملة مقبولة"
    case .budgetExhausted: "نفاد الميزانية؛ وتُستأنف الحملة عند رفعها"
    case .budgetUnpriced: "لا يُعرف سعر بعض الأشخاص فلا تغطيهم أي ميزانية؛ حمّل قائمة الأسعار"
    }
  }
}
