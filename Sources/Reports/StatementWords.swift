import Domain
import Money

/// The words of a printed statement, in one of its two languages.
struct StatementWords: Sendable {
  let language: String
  let direction: String
  let title: String
  let notAnInvoice: String
  let number: String
  let month: String
  let account: String
  let zone: String
  let closed: String
  let seller: String
  let buyer: String
  let taxNumber: String
  let columns: [String]
  let totals: (exact: String, net: String, vat: String, gross: String)
  let kinds: [StatementKind: String]
  /// Over a month that is not closed.
  let provisional: String
  /// Before and after the number of messages without a price.
  let unpriced: (before: String, after: String)
  let stale: String
  let rounding: String
  let adjustments: String
  let noNumber: String

  static let english = StatementWords(
    language: "en", direction: "ltr", title: "Statement of messages", notAnInvoice: "This is not a tax invoice.",
    number: "Statement no.", month: "Month", account: "Account", zone: "Time zone", closed: "Closed", seller: "Seller",
    buyer: "Buyer", taxNumber: "Tax number",
    columns: ["Delivered on", "Campaign", "Number", "Market", "Category", "Kind", "Rate card", "Rate", "Messages", "Amount"],
    totals: ("Sum of the lines", "Net", "VAT", "Total"),
    kinds: [
      .charge: "charge", .free: "free", .unpriced: "no price yet", .adjustment: "adjustment",
      .volumeDiscount: "volume discount",
    ],
    provisional: "Provisional: the month closes on the eighth of the next; until then these figures may change.",
    unpriced: ("Not whole: ", " delivered messages have no price yet. They are not in the totals."),
    stale: "The rate card was not confirmed for this quarter; Meta may have changed prices.",
    rounding: "Each line is exact. The sum is rounded once, half up, to two decimals.",
    adjustments: "An adjustment belongs to an earlier month that was closed: it has its own day of delivery and its card.",
    noNumber: "not numbered yet")

  static let arabic = StatementWords(
    language: "ar", direction: "rtl", title: "كشف حساب الرسائل", notAnInvoice: "هذا الكشف ليس فاتورة ضريبية.",
    number: "رقم الكشف", month: "الشهر", account: "الحساب", zone: "المنطقة الزمنية", closed: "أُقفل في", seller: "البائع",
    buyer: "المشتري", taxNumber: "الرقم الضريبي",
    columns: [
      "تاريخ التسليم", "الحملة", "الرقم المرسِل", "السوق", "الفئة", "النوع", "بطاقة الأسعار", "السعر", "الرسائل", "المبلغ",
    ],
    totals: ("مجموع البنود", "الصافي", "ضريبة القيمة المضافة", "الإجمالي"),
    kinds: [
      .charge: "رسوم", .free: "مجانية", .unpriced: "بلا سعر بعد", .adjustment: "تسوية", .volumeDiscount: "خصم الكمية",
    ],
    provisional: "كشف مبدئي: يُقفل الشهر في اليوم الثامن من الشهر التالي، وقد تتغير الأرقام حتى ذلك الحين.",
    unpriced: ("الكشف غير مكتمل: عدد الرسائل المسلَّمة التي لا سعر لها بعد ", "، وهي غير داخلة في الإجمالي."),
    stale: "لم تُؤكَّد بطاقة الأسعار لهذا الربع، وربما غيّرت ميتا أسعارها.",
    rounding: "كل بند محسوب بدقته الكاملة، ويُقرَّب المجموع مرة واحدة إلى منزلتين عشريتين.",
    adjustments: "التسوية تخص شهرًا سابقًا أُقفل، ولها تاريخ تسليمها وبطاقة أسعارها.", noNumber: "لم يُرقَّم بعد")

  func name(_ category: Category?) -> String {
    guard language == "ar" else { return category?.word.replacing("_", with: " ") ?? "unknown" }
    switch category {
    case .marketing: return "تسويق"
    case .utility: return "خدمية"
    case .authentication: return "تحقق"
    case .service: return "خدمة العملاء"
    case .authenticationInternational: return "تحقق دولي"
    case .marketingLite: return "تسويق (واجهة التسويق)"
    case .referralConversion: return "إحالة"
    case nil: return "غير معروفة"
    }
  }

  func name(_ market: Market) -> String { language == "ar" ? market.arabicName : market.name }
}
