import Domain
import JSON
import Money
import Postgres
import Store

/// A month of an account in one of its three forms; all show the same lines and totals.
public enum StatementReport {
  public enum Format: String, Sendable { case json, csv, html }

  public static func render(
    _ account: Statements.Account, _ month: BillingMonth, as format: Format, language: StatementPage.Language,
    on pool: Pool
  ) async throws -> String {
    let statement = try await Statements.read(account, month, on: pool)
    if format == .csv { return StatementCSV.render(statement) }
    let book = try await RateCards.prices(on: pool).pricing.book
    // Of the month's last day: what confirms a quarter may come in its middle.
    let standing = book.standing(
      of: account.currency, on: CivilDate(daysSince1970: month.next.firstDay.daysSince1970 - 1))
    switch format {
    case .csv: preconditionFailure("answered above")
    case .html:
      var isStale = false
      if case .stale = standing { isStale = true }
      return StatementPage(statement, in: language, cardIsStale: isStale).render()
    case .json: return String(decoding: json(statement, standing).rendered(), as: UTF8.self)
    }
  }

  private static func json(_ statement: Statements.Statement, _ standing: RateBook.Standing) -> JSONValue {
    let totals = statement.totals
    return [
      "statement": statement.number.map { .string(String($0)) } ?? .null,
      "month": .string(statement.month.description), "account": .string(statement.account.wabaID),
      "zone": .string(statement.account.zone),
      "closed_at": statement.closedAt.map { .string($0.rfc3339()) } ?? .null, "parties": statement.parties.json,
      "card": .string(standing.word), "is_tax_invoice": false, "totals": totals.json,
      "lines": .array(
        statement.lines.map { line in
          let kind = StatementKind(line, of: statement.month)
          return [
            "kind": .string(kind.word), "reason": .string(line.reason.word), "delivered_on": .string(line.day.description),
            "campaign": line.campaign.rawValue > 0 ? .string(line.campaign.description) : .null,
            "campaign_name": .string(line.campaignName), "number": .string(line.number),
            "market": .string(line.market.word), "category": line.category.map { .string($0.word) } ?? .null,
            "pricing_type": .string(line.type.word), "rate_card": line.card.map { .string($0.description) } ?? .null,
            "rate": line.rate.map { .string($0.text()) } ?? .null, "count": .number(String(line.count)),
            "amount": kind == .unpriced ? .null : .string(line.amount.text()),
          ]
        }),
    ]
  }
}
