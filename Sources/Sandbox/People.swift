import JSON

/// Who people are and how they behave: every rate of the double's world, in one place.
///
/// A person's nature is a pure function of the seed and the phone; what happens with one message is a pure function of
/// the seed, the phone and how many messages the person got before. So a run repeats whatever the order of arrival.
public struct PeopleModel: Sendable {
  // Reachability.
  /// Not on WhatsApp: every message fails with 131026.
  public var notOnWhatsApp = 0.03
  /// The phone stays off: `sent` and nothing more, for ever.
  public var unreachable = 0.01
  /// Delivered within seconds; the others when their phone comes back.
  public var online = 0.85
  /// Reads what is delivered and lets it be known.
  public var readers = 0.65

  // Meta's own rules for marketing.
  /// Kept out of marketing for an experiment: 130472.
  public var holdout = 0.005
  /// Chance that Meta holds back one more offer (131049); doubles with each offer got within a day.
  public var marketingCap = 0.02

  // Delays before scaling, in milliseconds: from the smallest to the largest, skewed to the small.
  public var sentDelay = 50.0...400.0
  public var deliveredDelay = 200.0...3000.0
  public var offlineDelay = 60_000.0...14_400_000.0
  public var readDelay = 2000.0...600_000.0
  public var failedDelay = 200.0...2000.0
  /// From the delivery to what a person does about it.
  public var reactionDelay = 3000.0...60_000.0
  /// How late a receipt comes that comes out of order, and a duplicate after the first.
  public var lateDelay = 500.0...5000.0

  // Reactions to one delivered marketing message.
  public var stopRate = 0.01
  /// Blocks us; multiplied when badly treated, see below.
  public var blockRate = 0.002
  /// Writes something that is no STOP: thanks, a question about the price, "don't stop the offers".
  public var replyRate = 0.01
  /// How those who stop do it; the rest uses the native control.
  public var stopByButton = 0.5
  public var stopByText = 0.35

  // Bad treatment.
  /// Each further offer within a day multiplies the block rate by this.
  public var frequencyAnger = 3.0
  /// Chance to block when an offer comes although the person said stop.
  public var betrayedBlockRate = 0.5

  // Quality, per number and per template. The score is the share of blocks among the deliveries to marketing's readers,
  // an average in which the last `qualityMemory` deliveries weigh most; it speaks from `qualityEvidence` deliveries on.
  public var qualityMemory = 1000.0
  public var qualityEvidence = 100
  public var yellowAt = 0.01
  public var redAt = 0.02
  /// From here on Meta restricts the number: sends are refused with 131048 for `restriction` (scaled).
  public var restrictedAt = 0.06
  public var restriction: Duration = .seconds(3600)
  /// First pause of a template whose quality went RED (scaled); the second is twice as long, the third disables it.
  public var templatePause: Duration = .seconds(10_800)

  public init() {}

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

  /// Everybody well-behaved and quick: for tests that are not about people.
  public static var obliging: PeopleModel {
    var model = PeopleModel()
    (model.notOnWhatsApp, model.unreachable, model.online, model.readers) = (0, 0, 1, 1)
    (model.holdout, model.marketingCap, model.stopRate, model.blockRate, model.replyRate) = (0, 0, 0, 0, 0)
    return model
  }
}

/// What a person is, for good.
struct Nature {
  enum StopStyle { case button, text, native }
  let isOnWhatsApp: Bool
  let isReachable: Bool
  let isOnline: Bool
  let isReader: Bool
  let isHeldOut: Bool
  let stopStyle: StopStyle
  /// Arabic speakers write in Arabic; the rest in English.
  let speaksArabic: Bool

  init(of phone: Int64, seed: UInt64, _ model: PeopleModel) {
    var draw = Draw(seed, UInt64(bitPattern: phone), 0)
    isOnWhatsApp = draw.unit() >= model.notOnWhatsApp
    isReachable = draw.unit() >= model.unreachable
    isOnline = draw.unit() < model.online
    isReader = draw.unit() < model.readers
    isHeldOut = draw.unit() < model.holdout
    let style = draw.unit()
    stopStyle = style < model.stopByButton ? .button : style < model.stopByButton + model.stopByText ? .text : .native
    speaksArabic = Calling.speaksArabic(phone) ? draw.unit() < 0.9 : draw.unit() < 0.05
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

/// Deterministic chance (splitmix64).
struct Draw {
  private var state: UInt64

  init(_ seed: UInt64, _ a: UInt64, _ b: UInt64) {
    state = Draw.mix(seed ^ Draw.mix(a &+ 0x9E37_79B9_7F4A_7C15) ^ Draw.mix(b &+ 0x5851_F42D_4C95_7F2D))
  }

  mutating func next() -> UInt64 {
    state = state &+ 0x9E37_79B9_7F4A_7C15
    return Draw.mix(state)
  }
  /// In [0, 1).
  mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }
  mutating func below(_ count: Int) -> Int { Int(next() % UInt64(count)) }
  /// In the range, skewed to its small end.
  mutating func skewed(_ range: ClosedRange<Double>) -> Double {
    let u = unit()
    return range.lowerBound + (range.upperBound - range.lowerBound) * u * u * u
  }

  static func mix(_ value: UInt64) -> UInt64 {
    var z = value
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
