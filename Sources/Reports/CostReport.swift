import Domain
import JSON
import Postgres
import Store

/// What was spent, from the ledger: one line per group and currency.
public enum CostReport {
  /// Unknown group words are left out; the API has refused them before.
  public static func lines(
    by groups: [String], business: Business.ID, campaign: Campaign.ID?, from: CivilDate?, to: CivilDate?, on pool: Pool
  ) async throws -> [JSONValue] {
    let asked = groups.compactMap(CostLines.Group.init(rawValue:))
    let lines = try await CostLines.read(by: asked, business: business, campaign: campaign, from: from, to: to, on: pool)
    return lines.map { line in
      var object = JSONObject()
      for (group, value) in line.groups { object.append(group.rawValue, .string(value)) }
      object.append("currency", .string(line.currency))
      object.append("amount", .string(line.amount.text()))
      object.append("charged", .number(String(line.charged)))
      object.append("free", .number(String(line.free)))
      object.append("unpriced", .number(String(line.unpriced)))
      return .object(object)
    }
  }
}
