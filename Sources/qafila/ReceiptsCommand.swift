import Domain
import Intake
import JSON
import Postgres
import Reactor
import Store

/// Receipts as they were stored, folded once more.
enum ReceiptsCommand {
  static let commands = [
    Command(
      words: ["receipts", "replay"], summary: "fold stored receipts again",
      details: [
        """
        Works directly on the database, beside a service that runs. States and charges come out as they are, \
        whatever is folded how often; only what was missed is corrected, for instance a charge that had no price \
        then. Raw receipts are kept as signed by Meta; the times are those at which they came in.
        """
      ],
      options: [
        Option("from", "TIME", "received at or after: RFC 3339, or a day in UTC"),
        Option("to", "TIME", "received before (now unless given)"), Commands.json,
      ], settings: [.databaseURL, .sealKey], run: replay)
  ]

  private static func replay(_ invocation: Invocation) async throws {
    guard let text = invocation.option("from") else {
      throw UsageError("--from is missing.", remedy: "Write e.g. --from 2026-03-01, or --from 2026-03-01T08:00:00Z.")
    }
    let from = try instant("from", text)
    let to = try invocation.option("to").map { text throws(UsageError) in try instant("to", text) } ?? .now
    guard from < to else { throw UsageError("--to is not after --from.", remedy: "Give the earlier time first.") }
    let sealKey = try KeysCommand.sealKey(invocation)
    var settings = ConnectionSettings(url: try invocation.required(.databaseURL))
    settings.connectTimeout = .seconds(5)
    let installation = try await invocation.withDatabase { pool in
      try await Migrator.check(pool)
      let installation = try await Installation.open(pool, sealKey: sealKey)
      _ = try await pool.batch([
        Audit.entry(
          business: installation.business, actor: "cli", action: "receipts_replayed",
          subject: from.rfc3339() + "/" + to.rfc3339())
      ])
      return installation
    }
    let folder = Folder(installation: installation, database: settings, on: Qafila.reactor, log: Log.write)
    let outcome: Folder.Replayed
    do {
      outcome = try await folder.replay(from: from, to: to) { done in
        Terminal.redraw("Folding  \(Progress.grouped(done.receipts)) receipts")
      }
      Terminal.endRedraw()
      await folder.close()
    } catch {
      await folder.close()
      throw error
    }
    invocation.show(
      [
        "batches": .number(String(outcome.batches)), "receipts": .number(String(outcome.receipts)),
        "strays": .number(String(outcome.strays)), "corrected": .number(String(outcome.corrected)),
        "postings": .number(String(outcome.postings)),
      ]
    ) { answer in
      "\(answer.text("receipts")) receipts folded again: \(answer.text("corrected")) messages corrected, "
        + "\(answer.text("postings")) postings; \(answer.text("strays")) belong to no message of ours."
    }
  }

  private static func instant(_ option: String, _ text: String) throws(UsageError) -> Instant {
    guard let instant = Instant(rfc3339: CivilDate(text) == nil ? text : text + "T00:00:00Z") else {
      throw UsageError("--\(option) \(text) is no time.", remedy: "Write e.g. 2026-03-01T08:00:00Z, or 2026-03-01.")
    }
    return instant
  }
}
