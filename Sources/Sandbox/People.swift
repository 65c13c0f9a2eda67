import JSON
import Population

extension PeopleModel {
  mutating func read(_ section: inout ConfigurationReader) throws(SandboxSettingsError) {
    try section.double("not_on_whatsapp", 0...1, &notOnWhatsApp)
    try section.double("unreachable", 0...1, &unreachable)
    try section.double("online", 0...1, &online)
    try section.double("readers", 0...1, &readers)
    try section.double("holdout", 0...1, &holdout)
    try section.double("marketing_cap", 0...1, &marketingCap)
    try section.double("stop_rate", 0...1, &stopRate)
    try section.double("block_rate", 0...1, &blockRate)
    try section.double("reply_rate", 0...1, &replyRate)
    try section.double("stop_by_button", 0...1, &stopByButton)
    try section.double("stop_by_text", 0...1, &stopByText)
    try section.double("frequency_anger", 1...100, &frequencyAnger)
    try section.double("betrayed_block_rate", 0...1, &betrayedBlockRate)
    try section.double("strangers", 0...1, &strangers)
    try section.double("stranger_stop_rate", 0...1, &strangerStopRate)
    try section.double("stranger_block_rate", 0...1, &strangerBlockRate)
    try section.double("quality_memory", 1...1_000_000, &qualityMemory)
    try section.int("quality_evidence", 1...1_000_000, &qualityEvidence)
    try section.double("yellow_at", 0...1, &yellowAt)
    try section.double("red_at", 0...1, &redAt)
    try section.double("restricted_at", 0...1, &restrictedAt)
    try section.milliseconds("restriction_ms", &restriction)
    try section.milliseconds("template_pause_ms", &templatePause)
    if var delays = try section.object("delays_ms") {
      try PeopleModel.range("sent", &delays, &sentDelay)
      try PeopleModel.range("delivered", &delays, &deliveredDelay)
      try PeopleModel.range("offline", &delays, &offlineDelay)
      try PeopleModel.range("read", &delays, &readDelay)
      try PeopleModel.range("failed", &delays, &failedDelay)
      try PeopleModel.range("reaction", &delays, &reactionDelay)
      try PeopleModel.range("late", &delays, &lateDelay)
      try delays.finish()
    }
    try section.finish()
  }

  private static func range(
    _ key: String, _ section: inout ConfigurationReader, _ target: inout ClosedRange<Double>
  ) throws(SandboxSettingsError) {
    let pair = try section.member(key, "[least, most] in milliseconds") { value -> ClosedRange<Double>? in
      guard let list = value.arrayValue, list.count == 2, let low = list[0].doubleValue, let high = list[1].doubleValue,
        low >= 0, high >= low
      else { return nil }
      return low...high
    }
    if let pair { target = pair }
  }
}

/// What people write, and how Meta names them.
extension Nature {
  init(of phone: Int64, seed: UInt64, _ model: PeopleModel) {
    self.init(of: phone, seed: seed, model, inArabia: Calling.speaksArabic(phone))
  }

  /// First name and BSUID, as Meta tells them with receipts and messages.
  static func name(of phone: Int64, seed: UInt64) -> String {
    var draw = Draw(seed, UInt64(bitPattern: phone), 1)
    return names[draw.below(names.count)]
  }
  static func userID(of phone: Int64, seed: UInt64) -> String {
    var draw = Draw(seed, UInt64(bitPattern: phone), 2)
    return Calling.country(of: phone) + "."
      + String(1_000_000_000_000_000_000 + draw.next() % 8_000_000_000_000_000_000)
  }
  private static let names = [
    "Ahmed", "Sara", "محمد", "فاطمة", "Omar", "ليلى", "Youssef", "نورة", "Khaled", "هند", "Mona", "خالد", "Rania",
    "سعود",
  ]

  /// What people write when they want no more, in the words of each place.
  static let stopTexts = (
    arabic: [
      "الغاء الاشتراك", "إلغاء الاشتراك", "إيقاف", "مش عايز رسايل", "وقفوا الرسايل دي", "لا ترسلون", "ما بدي رسائل",
      "بلاش رسايل تاني", "شيلوا رقمي", "توقف", "ما أبي رسايل",
    ],
    english: [
      "STOP", "stop", "Unsubscribe", "please stop sending me messages", "Stop promotions", "remove me from your list",
    ]
  )
  /// What they write otherwise; some of it only sounds like a STOP.
  static let otherTexts = (
    arabic: ["شكرا", "بكام؟", "فين الفرع؟", "لا توقفوا العروض", "عايز أعمل أوردر", "تمام 👍", "متى تفتحون؟"],
    english: [
      "Thanks!", "How much is it?", "When do you open?", "don't stop the offers", "Is there a bus stop near your shop?",
    ]
  )
}
