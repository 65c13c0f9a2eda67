/// The numbered SQL files of `Migrations/sql`, embedded at build time, in the order in which they apply.
///
/// A file that was applied anywhere is never edited: `qafila migrate` refuses when its text has changed.
public enum Migrations {
  public struct Migration: Sendable {
    /// The file's name without its ending, e.g. `0001_foundation`.
    public let name: String
    public let sql: [UInt8]
  }

  public static let all: [Migration] = [
    Migration(name: "0001_foundation", sql: PackageResources._001_foundation_sql),
    Migration(name: "0003_limits", sql: PackageResources._003_limits_sql),
    Migration(name: "0003_segments", sql: PackageResources._003_segments_sql),
    Migration(name: "0004_consent", sql: PackageResources._004_consent_sql),
    Migration(name: "0005_refusals", sql: PackageResources._005_refusals_sql),
    Migration(name: "0005_pace", sql: PackageResources._005_pace_sql),
    Migration(name: "0006_calendars", sql: PackageResources._006_calendars_sql),
    Migration(name: "0006_recurrence", sql: PackageResources._006_recurrence_sql),
    Migration(name: "0007_rates", sql: PackageResources._007_rates_sql),
    Migration(name: "0007_ledger", sql: PackageResources._007_ledger_sql),
    Migration(name: "0007_reconciliation", sql: PackageResources._007_reconciliation_sql),
    Migration(name: "0009_freeze_at_launch", sql: PackageResources._009_freeze_at_launch_sql),
    Migration(name: "0010_guard", sql: PackageResources._010_guard_sql),
    Migration(name: "0023_pilot", sql: PackageResources._023_pilot_sql),
    Migration(name: "0011_erasure", sql: PackageResources._011_erasure_sql),
    Migration(name: "0012_alias", sql: PackageResources._012_alias_sql),
    Migration(name: "0012_opt_out_files", sql: PackageResources._012_opt_out_files_sql),
    Migration(name: "0015_service_window", sql: PackageResources._015_service_window_sql),
    Migration(name: "0015_urgent", sql: PackageResources._015_urgent_sql),
    Migration(name: "0016_sticky", sql: PackageResources._016_sticky_sql),
    Migration(name: "0021_alerts", sql: PackageResources._021_alerts_sql),
    Migration(name: "0022_forwards", sql: PackageResources._022_forwards_sql),
    Migration(name: "0022_mail", sql: PackageResources._022_mail_sql),
    Migration(name: "0017_response", sql: PackageResources._017_response_sql),
    Migration(name: "0020_leaving", sql: PackageResources._020_leaving_sql),
    Migration(name: "0013_budgets", sql: PackageResources._013_budgets_sql),
    Migration(name: "0027_budget_months", sql: PackageResources._027_budget_months_sql),
    Migration(name: "0028_template_figures", sql: PackageResources._028_template_figures_sql),
    Migration(name: "0025_way_out", sql: PackageResources._025_way_out_sql),
    Migration(name: "0024_return", sql: PackageResources._024_return_sql),
    Migration(name: "0026_guard_history", sql: PackageResources._026_guard_history_sql),
    Migration(name: "0026_template_ttl", sql: PackageResources._026_template_ttl_sql),
    Migration(name: "0029_erasure_names", sql: PackageResources._029_erasure_names_sql),
    Migration(name: "0030_template_look", sql: PackageResources._030_template_look_sql),
    Migration(name: "0018_people", sql: PackageResources._018_people_sql),
  ]
}
