import Domain

/// What a key's role may do (product §1.15). One table, read by the router before any handler runs.
public enum Permission: String, CaseIterable, Sendable {
  /// Campaigns, numbers, templates, audiences, imports; no phone is shown whole.
  case read
  case loadAudiences
  case draftCampaigns
  /// One message to one person, ahead of the campaigns.
  case sendMessages
  /// Whom campaigns leave alone unless they say otherwise.
  case setPolicy
  /// A marketer's own; operators pause all.
  case pauseCampaigns
  /// A marketer ends only pauses that marketers opened; an operator any but a cancellation.
  case resumeCampaigns
  case cancelCampaigns
  /// Other rules over what a campaign went through.
  case replayGuard
  /// Who stayed unresolved may get it twice.
  case resendMessages
  case syncTemplates
  case pauseNumbers
  case manageNumbers
  case manageKeys
  /// Addresses outside that are told what happens.
  case manageEndpoints
  /// A calendar holds for every campaign that runs.
  case manageCalendars
  case recordOptOuts
  case readConsents
  case recordConsents
  /// One person on one screen: messages, consents, why or why not.
  case findPeople
  /// A person's own requests: their data given to them, or erased.
  case handlePrivacy
  /// What is read as a stop, and what is said to those who stop.
  case manageStopWords
  case readMoney
  /// Statements and their reconciliation with Meta's figures.
  case readStatements
  /// Rate cards, budgets, the parties of a statement.
  case manageMoney
  /// Phones whole instead of their last three digits.
  case seePhones

  public var roles: Set<Role> {
    switch self {
    case .read: [.marketer, .operate, .finance, .privacy, .admin]
    case .loadAudiences: [.marketer, .operate, .privacy, .admin]
    case .draftCampaigns: [.marketer, .operate, .admin]
    case .sendMessages: [.marketer, .operate, .admin]
    case .setPolicy: [.operate, .admin]
    case .pauseCampaigns: [.marketer, .operate, .admin]
    case .resumeCampaigns: [.marketer, .operate, .admin]
    case .cancelCampaigns: [.operate, .admin]
    case .replayGuard: [.operate, .admin]
    case .resendMessages: [.operate, .admin]
    case .syncTemplates: [.marketer, .operate, .admin]
    case .pauseNumbers: [.operate, .admin]
    case .manageNumbers: [.admin]
    case .manageKeys: [.admin]
    case .manageEndpoints: [.admin]
    case .manageCalendars: [.operate, .admin]
    case .recordOptOuts: [.marketer, .operate, .privacy, .admin]
    case .readConsents: [.operate, .privacy, .admin]
    case .recordConsents: [.privacy, .admin]
    case .findPeople: [.operate, .privacy, .admin]
    case .handlePrivacy: [.privacy, .admin]
    case .manageStopWords: [.operate, .privacy, .admin]
    case .readMoney: [.marketer, .operate, .finance, .admin]
    case .readStatements: [.finance, .admin]
    case .manageMoney: [.finance, .admin]
    case .seePhones: [.operate, .privacy, .admin]
    }
  }

  public func allows(_ role: Role) -> Bool { roles.contains(role) }
}
