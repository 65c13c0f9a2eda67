import Crypto
import Domain
import Postgres

/// What makes this installation itself: its name in every callback key, and the pepper under every person key.
public struct Installation: Sendable {
  /// Eight characters that stand in every message's callback data; they keep a staging system's receipts apart.
  public let name: String
  public let personKeys: PersonKeys
  /// The business that keys are made for unless another is named.
  public let business: Business.ID

  /// Reads the installation, creating it on a new database.
  ///
  /// Throws `InstallationError.wrongSealKey` when the pepper was sealed under another key: going on with a new one
  /// would lose every opt-out.
  public static func open(_ pool: Pool, sealKey: SealKey) async throws -> Installation {
    let rows = try await pool.batch([
      Statement(
        "insert into installation (installation, pepper) values ($1, $2) on conflict do nothing",
        [
          .text(Crypto.base32(Crypto.randomBytes(5))),
          .bytea(sealKey.seal(Crypto.randomBytes(32), context: context)),
        ]),
      Statement("insert into business (name) select 'default' where not exists (select from business)"),
      Statement("select installation, pepper, (select min(business_id) from business) from installation"),
    ])
    let row = rows[2][0]
    guard let pepper = sealKey.open(row.bytes(1), context: context) else { throw InstallationError.wrongSealKey }
    return Installation(
      name: row.text(0), personKeys: PersonKeys(pepper: pepper), business: Business.ID(row.int64(2)))
  }

  /// The business of `open`, without a seal key; nil on a database that was never opened.
  public static func business(on pool: Pool) async throws(DatabaseError) -> Business.ID? {
    try await pool.run("select min(business_id) from business")[0].optionalInt64(0).map { Business.ID($0) }
  }

  private static let context = "installation.pepper"
}

public enum InstallationError: Error, Equatable {
  case wrongSealKey

  public var problem: Problem {
    Problem(
      500, "wrong_seal_key", "The seal key is not the one of this database.",
      detail: "What was sealed in this database does not open with the key given.",
      remedy: "Give the key that was used when the database was made (QAFILA_SEAL_KEY).")
  }
}
