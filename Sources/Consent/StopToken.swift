/// What a word does in a request about messages. The grammar knows roles only; the lexicon knows words.
enum StopRole: String, Sendable {
  /// Stop, end, وقف. `firm` ones are a stop by themselves, the others a question.
  case cease
  /// Unsubscribe, se désabonner: needs no object.
  case leave
  case cancel, remove
  /// Enough, بلاش; `fedUp` says less when it stands alone.
  case enough, fedUp
  case send, receive, want, disturb
  case begin, resume
  case threat, doing, block
  case negation
  /// The negation of a noun: عدم, without.
  case lack
  /// No more, aucun: negates the noun that follows.
  case no
  case media, subscription, number, data, list
  case me, you, again, anything
  /// Words that change nothing between others, and courtesy around them.
  case thin, polite
  /// Can you, ممكن: makes a question a request.
  case modal
  case question, why, price, origin, got, except
  /// Old, new, change: about a number that is to be corrected, not forgotten.
  case change
  /// A turn of phrase that is a stop, or only a doubt.
  case idiom, doubt
  case other
}

/// One word or fixed phrase of a message, as the lexicon understands it.
struct StopToken: Sendable {
  var role: StopRole
  var language: StopLanguage?
  /// Its place among the message's words.
  var words: Range<Int>
  var clause = 0
  /// Carries its negation inside: متبعتوش, göndermeyin.
  var isNegated = false
  /// Says enough alone.
  var isFirm = false
  /// An offer may be a thing as well as a message about it.
  var isOffer = false
  /// Told, not asked for: it happens, happened, somebody does it.
  var isStatement = false
  /// An order that Arabic negates with لا: the imperfect. Imperatives stand beside a "no", not under it.
  var isImperfect = false
  var isFirstPerson = false
  var hasMe = false
  var hasYou = false
  /// Points back at what was named before: وقفوها.
  var hasPronoun = false

  /// Turkish, Urdu and Hindi name the thing before the verb.
  var namesObjectFirst: Bool {
    switch language {
    case .turkish, .urdu, .hindi: true
    case .arabic, .english, .french, .tagalog, nil: false
    }
  }
}
