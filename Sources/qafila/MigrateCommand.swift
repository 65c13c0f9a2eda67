import Postgres
import Store

enum MigrateCommand {
  static let command = Command(
    words: ["migrate"], summary: "bring the database to this version's schema",
    details: [
      """
      Applies what is missing, in order, under a lock; a second run changes nothing. Refused when a file \
      that was applied reads differently, or when the database is newer than this program.
      """
    ],
    settings: [.databaseURL]
  ) { invocation in
    var settings = ConnectionSettings(url: try invocation.required(.databaseURL))
    settings.applicationName = "qafila-migrate"
    settings.connectTimeout = .seconds(5)
    let connection = Connection(settings, on: Qafila.reactor)
    let applied = try await Migrator.migrate(connection)
    await connection.close()
    Terminal.print(
      applied.isEmpty ? "Nothing to apply: the database is current." : "Applied: \(applied.joined(separator: ", ")).")
  }
}
