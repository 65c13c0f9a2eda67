/// What can be told of outside: by a signed webhook, in the list of alerts, by mail. The words stand in bodies that others
/// read: never rename, only add.
public enum AlertKind: String, CaseIterable, Sendable {
  case campaignPaused = "campaign.paused"
  case campaignResumed = "campaign.resumed"
  /// The guard halved its pace.
  case campaignSlowed = "campaign.slowed"
  /// Everybody is handed over or skipped.
  case campaignSent = "campaign.sent"
  /// Every person has a final result.
  case campaignFinished = "campaign.finished"
  case campaignCancelled = "campaign.cancelled"
  case campaignFailed = "campaign.failed"
  /// A pause over more than one campaign: a number, a template, an account, everything.
  case sendingPaused = "sending.paused"
  case sendingResumed = "sending.resumed"
  case numberQualityChanged = "number.quality_changed"
  case numberTierChanged = "number.tier_changed"
  case templateQualityChanged = "template.quality_changed"
  case budgetThreshold = "budget.threshold"
  /// Meta's bill and the ledger, by more than the threshold.
  case reconciliationDiffers = "reconciliation.differs"
  /// Told only to endpoints that ask for it by name: there may be thousands, and it stands in no list of alerts otherwise.
  case contactOptedOut = "contact.opted_out"

  /// What an endpoint is told of that does not say.
  public static let standard = allCases.filter { $0 != .contactOptedOut }
}
