import Domain
import JSON

extension CampaignSpec.Guarding {
  /// Who ends a pause when its cause is gone: a person, or the guard once Meta has lifted it.
  public enum Resume: String, CaseIterable, Sendable { case `operator`, automatic }
}
