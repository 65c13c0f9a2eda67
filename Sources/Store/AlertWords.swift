import Domain
import JSON

/// What an alert says to a person, in the API and by mail; English and Arabic stand together. Reasons that people or rules
/// wrote are quoted as they are.
public struct AlertWords: Sendable {
  public enum Language: String, CaseIterable, Sendable { case english = "en", arabic = "ar" }

  public let language: Language
  public init(_ language: Language) { self.language = language }

  /// One sentence.
  public func sentence(_ event: String, _ data: JSONValue) -> String {
    func field(_ name: String) -> String {
      switch data[name] {
      case .string(let text)?, .number(let text)?: quoted(text)
      default: ""
      }
    }
    let name = field("name").isEmpty ? field("id") : field("name")
    let because = field("reason").isEmpty ? "" : (language == .english ? ": " : "، والسبب: ") + field("reason")
    let scope = scope(data["scope"]?.stringValue ?? "", name)
    let (from, to) = (quality(field("from")), quality(field("to")))
    switch (AlertKind(rawValue: event), language) {
    case (.campaignPaused?, .english): return "Campaign \(name) was stopped by \(by(data))\(because)."
    case (.campaignPaused?, .arabic): return "أُوقفت الحملة \(name)، أوقفها \(by(data))\(because)."
    case (.campaignResumed?, .english):
      return data["still_paused"]?.boolValue == true
        ? "One cause that stopped campaign \(name) is over, another still stands\(because)."
        : "Campaign \(name) goes on\(because)."
    case (.campaignResumed?, .arabic):
      return data["still_paused"]?.boolValue == true
        ? "زال أحد أسباب إيقاف الحملة \(name) وبقي غيره\(because)." : "استُؤنفت الحملة \(name)\(because)."
    case (.campaignSlowed?, .english): return "Campaign \(name) sends at half its pace\(because)."
    case (.campaignSlowed?, .arabic): return "خُفّضت سرعة الحملة \(name) إلى النصف\(because)."
    case (.campaignSent?, .english): return "Campaign \(name): all handed to Meta; waiting for delivery results."
    case (.campaignSent?, .arabic): return "الحملة \(name): سُلّمت كل الرسائل إلى ميتا؛ ننتظر نتائج التسليم."
    case (.campaignFinished?, .english): return "Campaign \(name): every person has a final result."
    case (.campaignFinished?, .arabic): return "الحملة \(name): لكل شخص نتيجة نهائية."
    case (.campaignCancelled?, .english): return "Campaign \(name) was cancelled by \(by(data))\(because)."
    case (.campaignCancelled?, .arabic): return "أُلغيت الحملة \(name) نهائيًا، ألغاها \(by(data))\(because)."
    case (.campaignFailed?, .english): return "Campaign \(name) could not start\(because). Nothing was sent."
    case (.campaignFailed?, .arabic): return "تعذّر بدء الحملة \(name)\(because). لم يُرسل شيء."
    case (.sendingPaused?, .english): return "Sending of \(scope) was stopped by \(by(data))\(because)."
    case (.sendingPaused?, .arabic): return "أُوقف الإرسال: \(scope)، أوقفه \(by(data))\(because)."
    case (.sendingResumed?, .english): return "Sending of \(scope) goes on\(because)."
    case (.sendingResumed?, .arabic): return "استُؤنف الإرسال: \(scope)\(because)."
    case (.numberQualityChanged?, .english): return "The quality of number \(field("id")) was \(from) and is \(to)."
    case (.numberQualityChanged?, .arabic): return "جودة الرقم \(field("id")) كانت \(from) وأصبحت \(to)."
    case (.numberTierChanged?, .english):
      return "Meta's limit of people in 24 hours for number \(field("id")) was \(field("from")) and is \(field("to"))."
    case (.numberTierChanged?, .arabic):
      return "حد ميتا للأشخاص في 24 ساعة للرقم \(field("id")) كان \(field("from")) وأصبح \(field("to"))."
    case (.templateQualityChanged?, .english):
      return "The quality of template \(name) (\(field("language"))) was \(from) and is \(to)."
    case (.templateQualityChanged?, .arabic):
      return "جودة القالب \(name) (\(field("language"))) كانت \(from) وأصبحت \(to)."
    case (.budgetThreshold?, .english):
      return "\(field("percent")) percent of the budget of \(scope) are reserved: \(field("reserved")) of \(field("limit")) "
        + (field("currency").isEmpty ? "messages." : field("currency") + ".")
    case (.budgetThreshold?, .arabic):
      return "حُجز \(field("percent"))٪ من ميزانية \(scope): \(field("reserved")) من \(field("limit")) "
        + (field("currency").isEmpty ? "رسالة." : field("currency") + ".")
    case (.reconciliationDiffers?, .english):
      return "Meta's bill of account \(field("id")) from \(field("from")) to \(field("to")) and the ledger differ by more than "
        + "the threshold: qafila reports reconcile says why."
    case (.reconciliationDiffers?, .arabic):
      return "فاتورة ميتا للحساب \(field("id")) من \(field("from")) إلى \(field("to")) تختلف عن السجل بأكثر من الحد المقبول؛ "
        + "السبب في qafila reports reconcile."
    case (.contactOptedOut?, .english): return "A person asked to stop (\(field("scope")), by \(field("source")))."
    case (.contactOptedOut?, .arabic): return "طلب شخص الإيقاف (\(field("scope"))، عبر \(field("source")))."
    case (nil, _): return event
    }
  }

  /// Why a delivery failed, and what to do about it.
  public func reason(_ word: String, status: Int?) -> String {
    let status = status.map { String($0) } ?? "?"
    switch (word, language) {
    case ("status", .english): return "The receiver answered \(status)."
    case ("status", .arabic): return "ردّ المستقبِل بالرمز \(status)."
    case ("redirected", .english): return "The receiver answered \(status), a redirect; register the address it leads to."
    case ("redirected", .arabic): return "حوّل المستقبِل الطلب (\(status))؛ سجّل العنوان الذي يحوّل إليه."
    case ("address_not_allowed", .english):
      return "The name leads to a private address, or the address is not encrypted; QAFILA_ENDPOINT_NETWORKS allows networks."
    case ("address_not_allowed", .arabic):
      return "الاسم يقود إلى عنوان خاص أو الاتصال غير مشفَّر؛ الإعداد QAFILA_ENDPOINT_NETWORKS يسمح بشبكات بعينها."
    case ("timeout", .english): return "The receiver did not answer in time."
    case ("timeout", .arabic): return "لم يردّ المستقبِل في الوقت المحدد."
    case ("refused", .english): return "Nothing listens at the address."
    case ("refused", .arabic): return "لا أحد يستمع على هذا العنوان."
    case ("dns", .english): return "The name of the address is not known."
    case ("dns", .arabic): return "اسم العنوان غير معروف."
    case ("tls", .english): return "The receiver's certificate does not hold."
    case ("tls", .arabic): return "شهادة المستقبِل غير صالحة."
    case ("gone", .english): return "The receiver answered 410: it wants nothing more. Remove the endpoint."
    case ("gone", .arabic): return "ردّ المستقبِل 410: لا يريد المزيد. احذف نقطة الاستقبال."
    case ("under_way", .english): return "It is being tried now."
    case ("under_way", .arabic): return "تجري المحاولة الآن."
    case ("expired", .english): return "It waited longer than raw webhooks are kept."
    case ("expired", .arabic): return "انتظرت أطول من مدة حفظ الإشعارات."
    case (_, .english): return "The request failed: \(word)."
    case (_, .arabic): return "تعذّر الطلب: \(word)."
    }
  }

  private func by(_ data: JSONValue) -> String {
    switch (data["cause"]?.stringValue, data["by"]?.stringValue ?? "", language) {
    case ("guard"?, _, .english): "the guard"
    case ("guard"?, _, .arabic): "الحارس"
    case ("budget"?, _, .english): "its budget"
    case ("budget"?, _, .arabic): "حد الميزانية"
    case ("error"?, _, .english): "Meta's refusal"
    case ("error"?, _, .arabic): "رفض ميتا"
    case (_, let actor, _): quoted(actor.hasPrefix("key:") ? String(actor.dropFirst(4)) : actor)
    }
  }

  private func scope(_ word: String, _ name: String) -> String {
    switch (word, language) {
    case ("business", .english): "everything"
    case ("business", .arabic): "كل شيء"
    case ("token", .english): "every number of one access token"
    case ("token", .arabic): "كل أرقام رمز الوصول"
    case (_, .english): "\(word) \(name)"
    case ("portfolio", .arabic): "المحفظة \(name)"
    case ("account", .arabic): "الحساب \(name)"
    case ("number", .arabic): "الرقم \(name)"
    case ("template", .arabic): "القالب \(name)"
    case ("campaign", .arabic): "الحملة \(name)"
    case (_, .arabic): "\(word) \(name)"
    }
  }

  /// Meta's quality in product's words.
  public func quality(_ meta: String) -> String {
    switch (meta.filter { !$0.unicodeScalars.contains { (0x2066...0x2069).contains($0.value) } }, language) {
    case ("GREEN", .english): "high"
    case ("GREEN", .arabic): "مرتفعة"
    case ("YELLOW", .english): "medium"
    case ("YELLOW", .arabic): "متوسطة"
    case ("RED", .english): "low"
    case ("RED", .arabic): "منخفضة"
    case (_, .english): "not rated yet"
    case (_, .arabic): "لم تُقيَّم بعد"
    }
  }

  /// A name that may run the other way is set apart, so that it does not turn the sentence around it (Unicode's isolates).
  private func quoted(_ text: String) -> String {
    language == .arabic || text.unicodeScalars.contains { $0.value >= 0x590 } ? "\u{2068}\(text)\u{2069}" : text
  }
}
