import Domain
import Money
import Store

/// A statement as CSV (RFC 4180): its lines, then its totals, told apart by `kind`.
public enum StatementCSV {
  static let columns = [
    "statement", "month", "account", "kind", "reason", "delivered_on", "campaign_id", "campaign", "number", "market",
    "category", "pricing_type", "rate_card", "rate", "count", "amount", "currency",
  ]

  public static func render(_ statement: Statements.Statement) -> String {
    let number = statement.number.map(String.init) ?? ""
    var rows = [columns]
    func row(_ cells: [String]) {
      rows.append([number, statement.month.description, statement.account.wabaID] + cells)
    }
    for line in statement.lines {
      let kind = StatementKind(line, of: statement.month)
      row([
        kind.word, line.reason.word, line.day.description, line.campaign.rawValue > 0 ? line.campaign.description : "",
        text(line.campaignName), line.number, line.market.word, line.category?.word ?? "", line.type.word,
        line.card?.description ?? "", line.rate?.text() ?? "", String(line.count),
        kind == .unpriced ? "" : line.amount.text(), statement.account.currency.code,
      ])
    }
    func total(_ kind: String, _ amount: String, count: String = "") {
      row([kind] + Array(repeating: "", count: 10) + [count, amount, statement.account.currency.code])
    }
    let totals = statement.totals
    total("total_exact", totals.exactNet.text())
    total("total_net", totals.net.text(minimumDecimals: 2))
    if let vat = totals.vat { total("vat", vat.text(minimumDecimals: 2)) }
    total("total_gross", totals.gross.text(minimumDecimals: 2))
    if totals.unpriced > 0 { total("total_unpriced", "", count: String(totals.unpriced)) }
    return rows.map { $0.map(quoted).joined(separator: ",") + "\r\n" }.joined()
  }

  /// What people typed never begins a formula; a number is none.
  private static func text(_ cell: String) -> String {
    guard let first = cell.first, "=+-@\t\r".contains(first), !cell.allSatisfy({ "+-0123456789 .,".contains($0) }) else {
      return cell
    }
    return "'" + cell
  }

  private static func quoted(_ cell: String) -> String {
    guard cell.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else { return cell }
    return "\"" + cell.replacing("\"", with: "\"\"") + "\""
  }
}

/// What a line of a statement is.
enum StatementKind: String {
  case charge, free, unpriced, adjustment, volumeDiscount

  /// An adjustment was delivered before the month that bears it.
  init(_ line: Statements.Line, of month: BillingMonth) {
    if line.reason == .volumeTier {
      self = .volumeDiscount
    } else if line.day < month.firstDay {
      self = .adjustment
    } else {
      switch line.charge {
      case 2: self = .free
      case 3: self = .unpriced
      default: self = .charge
      }
    }
  }

  var word: String { self == .volumeDiscount ? "volume_discount" : rawValue }
}
