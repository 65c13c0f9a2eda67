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

  // Strangers: people who never asked to hear from the business, as on a bought list. They owe it nothing, so they block
  // half as often as they say stop; who knows us says stop five times for one block.
  /// The share of people who are strangers.
  public var strangers = 0.0
  public var strangerStopRate = 0.16
  public var strangerBlockRate = 0.08

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

  /// Everybody well-behaved and quick: for tests that are not about people.
  public static var obliging: PeopleModel {
    var model = PeopleModel()
    (model.notOnWhatsApp, model.unreachable, model.online, model.readers) = (0, 0, 1, 1)
    (model.holdout, model.marketingCap, model.stopRate, model.blockRate, model.replyRate) = (0, 0, 0, 0, 0)
    return model
  }
}
