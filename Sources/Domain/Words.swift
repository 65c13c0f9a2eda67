// The glossary's closed lists. Raw numbers are stored: never renumber, only add. `word` is what every API, log and file says.

/// A closed list with a stored number and a public word.
public protocol Word: RawRepresentable<Int16>, CaseIterable, Hashable, Sendable {
  var word: String { get }
}

extension Word {
  public init?(word: some StringProtocol) {
    guard let match = Self.allCases.first(where: { $0.word == word }) else { return nil }
    self = match
  }
}

/// What an API key may do (product §1.15).
public enum Role: Int16, Word {
  case marketer = 1, operate = 2, finance = 3, privacy = 4, admin = 5
  public var word: String { self == .operate ? "operator" : "\(self)" }
}

/// The category Meta applies; it decides the price and whether marketing rules hold.
public enum Category: Int16, Word {
  case marketing = 1, utility = 2, authentication = 3, service = 4, authenticationInternational = 5, marketingLite = 6
  case referralConversion = 7
  public var word: String {
    switch self {
    case .authenticationInternational: "authentication_international"
    case .marketingLite: "marketing_lite"
    case .referralConversion: "referral_conversion"
    default: "\(self)"
    }
  }
}

/// `pricing.type` of a receipt.
public enum PricingType: Int16, Word {
  case regular = 1, freeCustomerService = 2, freeEntryPoint = 3, freeGroupCustomerService = 4
  public var word: String {
    switch self {
    case .regular: "regular"
    case .freeCustomerService: "free_customer_service"
    case .freeEntryPoint: "free_entry_point"
    case .freeGroupCustomerService: "free_group_customer_service"
    }
  }
}

/// Why someone in the audience is not a recipient; decided at the freeze. When several hold, the smallest number wins:
/// that is the documented order.
public enum ExclusionReason: Int16, Word {
  case duplicate = 10, optedOut = 20, noOptIn = 30, suspectPhone = 40, senderOwnNumber = 50, blockedCountry = 60
  case undeliverable = 65, parameterMissing = 70, parameterInvalid = 71, textTooLong = 72, frequencyCap = 80
  /// Last, so that who is held out differs from the recipients by chance alone.
  case holdout = 90
  public var word: String {
    switch self {
    case .duplicate: "duplicate"
    case .optedOut: "opted_out"
    case .noOptIn: "no_opt_in"
    case .suspectPhone: "suspect_phone"
    case .senderOwnNumber: "sender_own_number"
    case .blockedCountry: "blocked_country"
    case .parameterMissing: "parameter_missing"
    case .parameterInvalid: "parameter_invalid"
    case .textTooLong: "text_too_long"
    case .frequencyCap: "frequency_cap"
    case .undeliverable, .holdout: "\(self)"
    }
  }
}

/// Why a recipient will not be written to; decided after the start.
public enum SkipReason: Int16, Word {
  case optedOut = 1, expired = 2, cancelled = 3, moved = 4, erased = 5, frequencyCap = 6
  public var word: String {
    switch self {
    case .optedOut: "opted_out"
    case .frequencyCap: "frequency_cap"
    default: "\(self)"
    }
  }
}

/// Why a recipient waits in the due table; goes by itself afterwards.
public enum HoldReason: Int16, Word {
  case returned = 1, throttled = 2, pair = 3, transient = 4, marketingLimit = 5, raced = 6, frequencyCap = 7
  /// Meta's limit of people in 24 hours, or the number's while it warms up.
  case dailyLimit = 8
  public var word: String {
    switch self {
    case .marketingLimit: "marketing_limit"
    case .frequencyCap: "frequency_cap"
    case .dailyLimit: "daily_limit"
    default: "\(self)"
    }
  }
}

/// How a hand-over ended, as a fact. The order is the one in which a later truth may replace an earlier one: a receipt
/// or a late answer still wins over `unknown` and `unresolved`.
public enum Outcome: Int16, Word {
  /// Bytes may have left and no answer came. Settled by a receipt, never by a resend.
  case unknown = 1
  /// Unknown for the stated time although receipts flow.
  case unresolved = 2
  /// Meta said no, in a way that is documented to precede acceptance.
  case rejected = 3
  /// Meta took it and holds it while it checks the template's quality.
  case heldByMeta = 4
  case accepted = 5
  public var word: String { self == .heldByMeta ? "held_by_meta" : "\(self)" }
}

/// The furthest state a message reached by its receipts. A higher rank wins; `failed` loses to `delivered` and above.
public enum Standing: Int16, Word {
  case none = 0, sent = 10, failed = 20, delivered = 30, read = 40, played = 50
  public var word: String { "\(self)" }
}

/// What users see of a campaign (product §4).
public enum CampaignState: Int16, Word {
  case draft = 1, awaitingApproval = 2, scheduled = 3, preparing = 4, sending = 5, waiting = 6, paused = 7, settling = 8
  case completed = 9, cancelled = 10, failed = 11
  public var word: String { self == .awaitingApproval ? "awaiting_approval" : "\(self)" }
}

/// What users see of a recipient (product §4).
public enum RecipientState: Int16, Word {
  case excluded = 1, queued = 2, held = 3, skipped = 4, unknown = 5, unresolved = 6, accepted = 7, heldByMeta = 8
  case sent = 9, delivered = 10, read = 11, failed = 12, noResult = 13
  public var word: String {
    switch self {
    case .heldByMeta: "held_by_meta"
    case .noResult: "no_result"
    default: "\(self)"
    }
  }
}

/// Where a campaign's rows come from. Test and urgent messages belong to a standing system campaign of their kind.
public enum CampaignKind: Int16, Word {
  case campaign = 1, test = 2, urgent = 3, confirmation = 4
  public var word: String { "\(self)" }
}

/// What we owe to somebody who wrote to us.
public enum ReplyKind: Int16, Word {
  case question = 1, confirmation = 2
  public var word: String { "\(self)" }
}

public enum ConsentScope: Int16, Word {
  case marketing = 1, everything = 2
  public var word: String { "\(self)" }
}

public enum ConsentEvent: Int16, Word {
  /// A hold is a doubt: it stops until the person answers, and for good when they don't.
  case stop = 1, start = 2, hold = 3
  public var word: String { "\(self)" }
}

public enum ConsentSource: Int16, Word {
  case button = 1, text = 2, nativePreference = 3, metaFailure = 4, api = 5, cli = 6, upload = 7, `operator` = 8
  /// The question about a doubt stayed without answer.
  case unanswered = 9
  public var word: String {
    switch self {
    case .nativePreference: "native_preference"
    case .metaFailure: "131050"
    case .upload: "import"
    default: "\(self)"
    }
  }
}

/// What a pause covers. Sending is allowed while no pause is open over any of a message's scopes.
public enum PauseScope: Int16, Word {
  case business = 1, portfolio = 2, account = 3, token = 4, number = 5, template = 6, campaign = 7
  public var word: String { "\(self)" }
}
