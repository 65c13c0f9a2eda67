/// What a person is, for good.
public struct Nature: Sendable {
  public enum StopStyle: Sendable { case button, text, native }
  public let isOnWhatsApp: Bool
  public let isReachable: Bool
  public let isOnline: Bool
  public let isReader: Bool
  public let isHeldOut: Bool
  public let isStranger: Bool
  public let stopStyle: StopStyle
  /// Arabic speakers write in Arabic; the rest in English.
  public let speaksArabic: Bool

  /// `inArabia`: the phone is of a country that speaks Arabic.
  public init(of phone: Int64, seed: UInt64, _ model: PeopleModel, inArabia: Bool) {
    var draw = Draw(seed, UInt64(bitPattern: phone), 0)
    isOnWhatsApp = draw.unit() >= model.notOnWhatsApp
    isReachable = draw.unit() >= model.unreachable
    isOnline = draw.unit() < model.online
    isReader = draw.unit() < model.readers
    isHeldOut = draw.unit() < model.holdout
    let style = draw.unit()
    stopStyle = style < model.stopByButton ? .button : style < model.stopByButton + model.stopByText ? .text : .native
    speaksArabic = inArabia ? draw.unit() < 0.9 : draw.unit() < 0.05
    // A draw of its own: who else a person is does not change with it.
    var stranger = Draw(seed, UInt64(bitPattern: phone), 3)
    isStranger = model.strangers > 0 && stranger.unit() < model.strangers
  }
}
