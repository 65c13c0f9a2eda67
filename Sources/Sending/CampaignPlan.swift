import CloudAPI
import Domain
import Governor
import JSON
import Schedule
import Store

/// A campaign as a lane needs it: the frozen template ready to render, its pace, its window, how it stands now.
struct CampaignPlan: Sendable {
  /// What each recipient is sent.
  enum Body {
    case template(TemplateMessage)
    /// A confirmation, a question or an answer: text and buttons are the recipient's own values.
    case reply

    func render(to phone: PhoneNumber, values: [String], key: MessageKey, installation: String) -> [UInt8] {
      switch self {
      case .template(let message): message.render(to: phone, values: values, key: key, installation: installation)
      case .reply: ReplyMessage(stored: values).render(to: phone, key: key, installation: installation)
      }
    }
  }

  let campaign: Campaign.ID
  let template: Template.ID
  let marketing: Bool
  /// Marketing that is no test counts for frequency caps.
  let counts: Bool
  let frequencyCap: ContactLimits.FrequencyCap?
  let message: Body
  let jitter: Jitter.Profile
  /// This lane's part of the campaign's pace: at most so many messages in each `window`, 0 for none; nil: the number's
  /// rate less its reserve.
  let ownPace: (limit: Int, window: Duration)?
  let reservePercent: Int
  /// When people may be written to, by the calendars as they were when the plan was read.
  let opening: Opening
  /// On the boot clock, as of when the plan was read.
  let endAt: Int64?
  /// The same as the campaign says it.
  let endsAt: Instant?
  let isPaused: Bool
  let isCancelled: Bool
  let hasDue: Bool
  let freeZones: [String]
  /// Of all runs.
  let zones: [String]
  /// Goes ahead of the campaigns, within the share that the number keeps for that: urgent messages and confirmations.
  var isUrgent = false
  /// So many parts of the number beside others.
  var weight = 1
  var hasStaying = false
  /// It was launched with a budget: nothing is claimed that none covers.
  var hasBudget = false
  var category = Category.marketing

  /// This lane's part of the campaign's pace; nil when it has none.
  func pace(perSecond: Int, allowance: Duration) -> LaneShare.Pace? {
    LaneShare(
      own: ownPace.map { LaneShare.Limit($0.limit, per: $0.window) }, reservePercent: reservePercent,
      isJittered: jitter == .human
    ).pace(perSecond: perSecond, allowance: allowance)
  }

  func isOver(at now: Int64) -> Bool { endAt.map { now >= $0 } ?? false }
}

extension CampaignPlan {
  /// Reads what the launch froze. `message` saves compiling a template that is known already.
  init(
    _ live: LiveCampaigns.LiveCampaign, message known: Body?, reservePercent: Int,
    calendars: [BlackoutCalendar], wall: Instant, boot: Int64
  ) throws {
    // Urgent messages and confirmations have no request: at once, at the number's pace, at any hour.
    isUrgent = live.kind == .urgent || live.kind == .confirmation
    let frozen = isUrgent ? nil : try FrozenCampaign.read(live.frozen)
    var spec = frozen?.spec
    campaign = live.campaign
    template = live.template
    marketing = live.category == .marketing || live.category == .marketingLite
    counts = marketing && live.kind == .campaign
    frequencyCap = spec?.limits.frequencyCap ?? nil
    if let known {
      message = known
    } else if let frozen {
      let definition = try TemplateDefinition(
        name: frozen.name, language: frozen.language, parameterFormat: frozen.parameterFormat,
        components: frozen.components)
      spec?.template.order(header: definition.headerNames, body: definition.body.names)
      message = .template(try TemplateMessage(definition, TemplateFill((spec ?? frozen.spec).template)))
    } else if let template = try JSONValue(parsing: live.frozen)["template"] {
      message = .template(try TemplateMessage(placesOf: template))
    } else {
      message = .reply
    }
    let asked = live.jitter.flatMap { CampaignSpec.Pace.Jitter(rawValue: $0) } ?? spec?.pace.jitter
    jitter = asked == .human ? .human : .none
    // Without a pace of its own there is nothing to divide: the number's rate is its pace.
    let isPaced = spec.map { $0.pace.limit != nil || $0.pace.spreadUntil != nil } ?? false
    ownPace = isPaced ? (live.share.limit, .seconds(live.share.seconds)) : nil
    self.reservePercent = reservePercent
    weight = spec?.priority ?? 1
    hasStaying = live.hasStaying
    opening = spec?.schedule.opening(calendars) ?? Opening(window: nil)
    endsAt = live.endAt
    endAt = live.endAt.map { boot + ($0 - wall).nanoseconds }
    isPaused = live.isPaused
    isCancelled = live.isCancelled
    hasDue = live.hasDue
    freeZones = live.freeZones
    zones = live.zones
    category = live.category
    hasBudget = live.kind == .campaign && spec?.budget != nil
  }
}

extension TemplateFill {
  /// The frozen values stand in the order header, body, buttons, named ones in the order of the template's text.
  init(_ part: CampaignSpec.TemplatePart) {
    let parameters = part.parameters
    let header = parameters.header.indices.map { TemplateValue.person($0) }
    let first = parameters.header.count
    let body = parameters.body.indices.map { TemplateValue.person(first + $0) }
    var buttons: [Int: TemplateValue] = [:]
    for (place, button) in parameters.buttons.enumerated() {
      buttons[button.index] = .person(first + parameters.body.count + place)
    }
    let media = parameters.media.map { media in
      TemplateMedia(
        media.id.map { .id(.literal($0)) } ?? .link(.literal(media.link ?? "")), filename: media.filename.map { .literal($0) })
    }
    self.init(header: header, media: media, body: body, buttons: buttons, stopButton: part.stopButton)
  }
}
