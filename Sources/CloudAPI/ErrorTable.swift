import Domain

/// Meta's error codes as data: what each means for sending, whether the message may have been taken, who must act.
///
/// From Meta's error code reference as read on 2026-09-11 and its edition of 2025-11-14 for the HTTP statuses.
public enum ErrorTable {
  /// Exact codes come before the ranges they lie in.
  public static func entry(_ code: Int, httpStatus: Int? = nil) -> ErrorEntry {
    if let index = exact[code] { return entries[index] }
    if let entry = ranges.first(where: { $0.codes.contains(code) }) { return entry }
    // Nothing documents it. A refusal that says so by its status was not taken; without a status (a receipt) the
    // question does not arise; all else is in doubt.
    let refused = httpStatus.map { (400..<500).contains($0) } ?? true
    return ErrorEntry(
      codes: code...code, errorClass: .unclassified, accepted: refused ? .no : .maybe, actor: .operate, wait: nil,
      english: "Meta refused it with a code that is not documented.", arabic: "رفضتها ميتا برمز غير موثَّق.")
  }

  private static let exact: [Int: Int] = {
    var found: [Int: Int] = [:]
    for (index, entry) in entries.enumerated() where entry.codes.count == 1 { found[entry.codes.lowerBound] = index }
    return found
  }()
  private static let ranges = entries.filter { $0.codes.count > 1 }

  private static func line(
    _ code: Int, _ errorClass: ErrorClass, _ actor: Role?, _ english: String, _ arabic: String,
    accepted: Accepted = .no, wait: Duration? = nil
  ) -> ErrorEntry { line(code...code, errorClass, actor, english, arabic, accepted: accepted, wait: wait) }

  private static func line(
    _ codes: ClosedRange<Int>, _ errorClass: ErrorClass, _ actor: Role?, _ english: String, _ arabic: String,
    accepted: Accepted = .no, wait: Duration? = nil
  ) -> ErrorEntry {
    ErrorEntry(
      codes: codes, errorClass: errorClass, accepted: accepted, actor: actor, wait: wait, english: english,
      arabic: arabic)
  }

  public static let entries: [ErrorEntry] = sending + recipients + numbers + templates + requests + elsewhere

  private static let sending: [ErrorEntry] = [
    line(
      1, .transient, nil, "Meta had an error of its own or did not understand the request; its receipt will decide.",
      "حدث خطأ لدى ميتا أو لم تفهم الطلب؛ سيحسمها إشعارها.", accepted: .maybe),
    line(
      2, .transient, nil, "Meta was overloaded or down; its receipt will decide.",
      "كانت ميتا مزدحمة أو متوقفة؛ سيحسمها إشعارها.", accepted: .maybe),
    line(
      131000, .transient, nil, "Meta reports an unknown error; its receipt will decide.",
      "أبلغت ميتا عن خطأ غير معروف؛ سيحسمها إشعارها.", accepted: .maybe),
    line(
      131016, .transient, nil, "A service of Meta's was unavailable; tried again by itself.",
      "كانت خدمة لدى ميتا غير متاحة؛ يُعاد الإرسال تلقائيًا.", wait: .seconds(5)),
    line(
      133004, .transient, nil, "Meta's server was unavailable for a moment; tried again by itself.",
      "كان خادم ميتا غير متاح مؤقتًا؛ يُعاد الإرسال تلقائيًا.", wait: .seconds(5)),
    line(
      131057, .restNumber, nil, "Meta is upgrading this number, about a minute; continues by itself.",
      "ترقّي ميتا هذا الرقم لنحو دقيقة؛ يُستأنف الإرسال تلقائيًا.", wait: .seconds(60)),
    line(
      130429, .throttleNumber, nil, "This number sent faster than Meta allows; it slows down by itself.",
      "أرسل هذا الرقم أسرع مما تسمح به ميتا؛ تُخفَّض السرعة تلقائيًا.", wait: .seconds(1)),
    line(
      4, .throttleAccount, nil, "The app's limit of calls to Meta is reached; continues by itself.",
      "بلغ التطبيق حد الطلبات لدى ميتا؛ يُستأنف تلقائيًا.", wait: .seconds(60)),
    line(
      80007, .throttleAccount, nil, "The WhatsApp account's limit of calls is reached; continues by itself.",
      "بلغ حساب واتساب حد الطلبات؛ يُستأنف تلقائيًا.", wait: .seconds(60)),
    line(
      613, .throttleAccount, nil, "A limit of calls to Meta is reached; continues by itself.",
      "بُلغ أحد حدود الطلبات لدى ميتا؛ يُستأنف تلقائيًا.", wait: .seconds(60)),
    line(
      131056, .throttlePair, nil,
      "Too many messages from this number to this person in a short time; tried again later.",
      "رسائل كثيرة من هذا الرقم إلى هذا الشخص في وقت قصير؛ يُعاد الإرسال لاحقًا.", wait: .seconds(6)),
    line(
      0, .authorization, .admin, "Meta refuses the access token; every number using it is stopped.",
      "ترفض ميتا رمز الوصول؛ توقفت كل الأرقام التي تستخدمه."),
    line(
      190, .authorization, .admin, "The access token is expired or invalid; every number using it is stopped.",
      "رمز الوصول منتهٍ أو غير صالح؛ توقفت كل الأرقام التي تستخدمه."),
    line(
      3, .authorization, .admin, "The app lacks a capability or permission for this call.",
      "يفتقر التطبيق إلى صلاحية لهذا الطلب."),
    line(
      10, .authorization, .admin, "A permission is not granted to the app or the token.",
      "لم تُمنح إحدى الصلاحيات للتطبيق أو لرمز الوصول."),
    line(104, .authorization, .admin, "The call carried no valid access token.", "لم يحمل الطلب رمز وصول صالحًا."),
    line(
      200...299, .authorization, .admin, "A permission is missing for this account.", "تنقص صلاحية لهذا الحساب."),
    line(
      131005, .authorization, .admin, "The token may not use this account or number.",
      "لا يحق لرمز الوصول استخدام هذا الحساب أو الرقم."),
    line(
      131042, .billing, .finance, "Meta stops sending because of a payment problem of the WhatsApp account.",
      "أوقفت ميتا الإرسال بسبب مشكلة في الدفع لحساب واتساب."),
    line(
      134011, .billing, .finance, "The terms of WhatsApp Payments are not accepted yet.",
      "لم تُقبل شروط مدفوعات واتساب بعد."),
    line(131044, .billing, .finance, "A payment is missing for calls.", "ينقص الدفع للمكالمات."),
  ]

  private static let recipients: [ErrorEntry] = [
    line(
      131026, .recipient, .marketer,
      "This person can't receive: no WhatsApp, old version or terms not accepted; Meta doesn't say which.",
      "لا يمكن لهذا الشخص الاستلام: لا واتساب لديه أو إصدار قديم أو لم يقبل الشروط؛ ولا تحدد ميتا السبب."),
    line(
      131049, .holdPerson, nil,
      "Meta limits how many offers this person gets from all companies; not charged; tried again after a day.",
      "تحدّ ميتا عدد العروض التي تصل هذا الشخص من كل الشركات؛ لم تُحتسب؛ يُعاد الإرسال بعد يوم.",
      wait: .seconds(86_400)),
    line(
      130472, .recipient, nil, "Meta keeps this person out of marketing for an experiment of its own; not charged.",
      "تستثني ميتا هذا الشخص من الرسائل التسويقية ضمن تجربة لها؛ لم تُحتسب."),
    line(
      131050, .optedOut, nil, "This person stopped offers from you in WhatsApp; recorded as an opt-out.",
      "أوقف هذا الشخص عروضك داخل واتساب؛ سُجّل طلب الإيقاف."),
    line(
      131047, .request, .marketer, "More than 24 hours since this person wrote: only a template can be sent.",
      "مضى أكثر من 24 ساعة على رسالة هذا الشخص؛ لا يمكن إرسال غير قالب."),
    line(
      131021, .recipient, .marketer, "The recipient is the sending number itself.", "المستلم هو رقم الإرسال نفسه."),
    line(130403, .recipient, .operate, "Your business has blocked this person.", "حظر نشاطك التجاري هذا الشخص."),
    line(
      131030, .recipient, .admin, "A test number may only write to the phones on its list.",
      "لا يراسل رقم الاختبار إلا الهواتف المدرجة في قائمته."),
    line(
      137000, .recipient, .operate, "This person's identity at WhatsApp changed and must be confirmed first.",
      "تغيّرت هوية هذا الشخص لدى واتساب ويجب تأكيدها أولًا."),
    line(
      130497, .recipient, .marketer, "Your business may not write to people in this country.",
      "لا يحق لنشاطك مراسلة أشخاص في هذا البلد."),
    line(
      131062, .request, .operate, "This message needs the person's phone; a user id is not enough.",
      "تتطلب هذه الرسالة رقم هاتف الشخص ولا يكفي معرّف المستخدم."),
    line(
      131065, .request, .marketer, "A maximum price is not available in this person's country.",
      "السعر الأقصى غير متاح في بلد هذا الشخص."),
  ]

  private static let numbers: [ErrorEntry] = [
    line(
      131048, .pauseNumber, .operate,
      "Meta restricts this number because too many people blocked or reported it.",
      "تقيّد ميتا هذا الرقم لأن كثيرين حظروه أو أبلغوا عنه."),
    line(
      131064, .pauseAccount, .operate, "Meta limits the account because templates were put in a wrong category.",
      "تقيّد ميتا الحساب بسبب قوالب في فئة خاطئة."),
    line(
      33, .pauseNumber, .admin, "The phone number id does not exist at Meta any more.",
      "لم يعد معرّف الرقم موجودًا لدى ميتا."),
    line(133010, .pauseNumber, .admin, "The number is not registered at Meta.", "الرقم غير مسجَّل لدى ميتا."),
    line(
      131045, .pauseNumber, .admin, "The number's registration at Meta failed; register it again.",
      "فشل تسجيل الرقم لدى ميتا؛ سجّله من جديد."),
    line(
      131037, .pauseNumber, .admin, "Meta has not approved the number's display name.",
      "لم توافق ميتا على الاسم المعروض للرقم."),
    line(
      368, .pauseAccount, .operate, "Meta blocked the account for a while because of its policies.",
      "حظرت ميتا الحساب مؤقتًا بسبب سياساتها."),
    line(
      131031, .pauseAccount, .operate, "Meta restricted or locked the account.", "قيّدت ميتا الحساب أو أقفلته."),
    line(
      133015, .operations, .admin, "The number was deleted a moment ago; wait five minutes.",
      "حُذف الرقم قبل لحظات؛ انتظر خمس دقائق.", wait: .seconds(300)),
    line(133016, .operations, .admin, "Too many attempts to register the number.", "محاولات كثيرة لتسجيل الرقم."),
    line(
      133000...133014, .operations, .admin, "The number's registration or PIN failed at Meta.",
      "فشل تسجيل الرقم أو رمزه السري لدى ميتا."),
  ]

  private static let templates: [ErrorEntry] = [
    line(
      132001, .pauseTemplate, .marketer, "The template does not exist in this language or is not approved.",
      "القالب غير موجود بهذه اللغة أو غير معتمد."),
    line(
      132007, .pauseTemplate, .marketer, "The template's content breaks a policy of WhatsApp's.",
      "يخالف محتوى القالب سياسة واتساب."),
    line(
      132015, .pauseTemplate, .marketer, "Meta paused the template because of low quality.",
      "أوقفت ميتا القالب مؤقتًا بسبب ضعف جودته."),
    line(
      132016, .pauseTemplate, .marketer, "Meta disabled the template for good because of low quality.",
      "عطّلت ميتا القالب نهائيًا بسبب ضعف جودته."),
    line(132068, .pauseTemplate, .marketer, "The template's flow is blocked.", "التدفق المرتبط بالقالب محظور."),
    line(
      132069, .pauseTemplate, .marketer, "The template's flow may send ten messages an hour.",
      "لا يُسمح للتدفق المرتبط بالقالب بأكثر من عشر رسائل في الساعة.", wait: .seconds(3600)),
    line(
      134101, .pauseTemplate, nil, "Meta still prepares the template, up to ten minutes; continues by itself.",
      "ما زالت ميتا تجهّز القالب، حتى عشر دقائق؛ يُستأنف تلقائيًا.", wait: .seconds(600)),
    line(
      134102, .pauseTemplate, .admin, "The template is not available for marketing messages yet.",
      "القالب غير متاح للرسائل التسويقية بعد."),
    line(
      131063, .pauseTemplate, .admin, "The account sends marketing templates only by the Marketing Messages API.",
      "لا يرسل الحساب القوالب التسويقية إلا عبر واجهة الرسائل التسويقية."),
    line(
      132000, .request, .marketer, "The template wants another number of parameters.",
      "يتطلب القالب عددًا مختلفًا من المتغيرات."),
    line(
      132005, .request, .marketer, "The text is too long once the parameters are filled in.",
      "النص طويل جدًا بعد تعبئة المتغيرات."),
    line(132008, .request, .marketer, "A parameter's value is not allowed.", "قيمة أحد المتغيرات غير مسموح بها."),
    line(
      132012, .request, .marketer, "A parameter has the wrong format.", "صيغة أحد المتغيرات غير صحيحة."),
    line(
      132018, .request, .marketer, "A parameter holds what the template does not allow.",
      "يحتوي أحد المتغيرات على ما لا يسمح به القالب."),
    line(
      134100, .request, .marketer, "Only marketing templates can be sent this way.",
      "لا تُرسل بهذه الطريقة إلا القوالب التسويقية."),
    line(
      131055, .request, .marketer, "Only marketing templates can be sent this way.",
      "لا تُرسل بهذه الطريقة إلا القوالب التسويقية."),
  ]

  private static let requests: [ErrorEntry] = [
    line(100, .request, .operate, "A field of the request is not supported.", "أحد حقول الطلب غير مدعوم."),
    line(131008, .request, .operate, "A field of the request is missing.", "ينقص أحد حقول الطلب."),
    line(131009, .request, .operate, "A field of the request has a wrong value.", "قيمة أحد حقول الطلب غير صحيحة."),
    line(131051, .request, .operate, "This type of message is not supported.", "هذا النوع من الرسائل غير مدعوم."),
    line(131052, .operations, nil, "A file that someone sent could not be fetched.", "تعذّر جلب ملف أرسله شخص."),
    line(
      131053, .request, .marketer, "The header's image, video or document could not be uploaded to Meta.",
      "تعذّر رفع صورة الترويسة أو مقطعها أو مستندها إلى ميتا."),
    line(
      135000, .request, .operate,
      "Meta dropped it without saying why; many at once mean that the account is held back.",
      "أسقطتها ميتا دون ذكر السبب؛ تكرارها يعني أن الحساب مقيَّد."),
  ]

  private static let elsewhere: [ErrorEntry] = [
    line(131200...131299, .operations, nil, "An error of WhatsApp groups.", "خطأ في مجموعات واتساب."),
    line(138000...138999, .operations, nil, "An error of WhatsApp calls.", "خطأ في مكالمات واتساب."),
    line(139000...139099, .operations, nil, "An error of WhatsApp flows.", "خطأ في تدفقات واتساب."),
    line(
      139100...139199, .operations, .operate, "Meta could not block or unblock this person.",
      "تعذّر حظر الشخص أو رفع حظره."),
    line(
      141000...141999, .operations, .admin, "Meta reports a problem of the account's health.",
      "تبلغ ميتا عن مشكلة في سلامة الحساب."),
    line(147000...147999, .operations, nil, "An error of WhatsApp user names.", "خطأ في أسماء مستخدمي واتساب."),
    line(
      200005...200007, .operations, .admin, "Template figures are not available for this account.",
      "إحصاءات القوالب غير متاحة لهذا الحساب."),
    line(
      2_388_000...2_388_999, .operations, .marketer, "Meta refused a change of a template.",
      "رفضت ميتا تعديل أحد القوالب."),
  ]
}
