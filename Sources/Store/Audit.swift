import Domain
import JSON
import Postgres

/// The record of who changed what. It never holds a phone: people stand in it by their person key.
public enum Audit {
  /// A row for the caller's batch, so that it commits with what it tells of.
  public static func entry(
    business: Business.ID, actor: String, action: String, subject: String = "",
    detail: JSONValue = .object(JSONObject())
  ) -> Statement {
    Statement(
      "insert into audit (business_id, actor, action, subject, detail) values ($1, $2, $3, $4, $5)",
      [.int8(business.rawValue), .text(actor), .text(action), .text(subject), .jsonb(detail.rendered())])
  }
}
