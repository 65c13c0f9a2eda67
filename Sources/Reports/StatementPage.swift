import Domain
import Money
import Reactor
import Store

/// A statement as one page for a printer: whole in itself, it opens without a server and loads nothing.
///
/// Numbers, codes and dates are Latin digits in both languages, isolated from the Arabic around them.
public struct StatementPage {
  public enum Language: String, Sendable, CaseIterable { case en, ar }

  private let statement: Statements.Statement
  private let words: StatementWords
  /// The card of the month's quarter is not confirmed.
  private let isStale: Bool
  private let isOpen: Bool

  public init(_ statement: Statements.Statement, in language: Language, cardIsStale: Bool) {
    (self.statement, isStale, isOpen) = (statement, cardIsStale, statement.number == nil)
    words = language == .ar ? .arabic : .english
  }

  public func render() -> String {
    """
    <!doctype html>
    <html lang="\(words.language)" dir="\(words.direction)">
    <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>\(words.title) \(statement.month) \(escaped(statement.account.wabaID))</title>
    <style>\(StatementPage.style)</style>
    </head>
    <body>
    <header>
    <h1>\(words.title) \(number(statement.month.description))</h1>
    <p class="not">\(words.notAnInvoice)</p>
    </header>
    \(notices)
    <dl>
    \(facts)
    </dl>
    <section class="parties">
    \(party(words.seller, statement.parties.seller))
    \(party(words.buyer, statement.parties.buyer))
    </section>
    <table>
    <thead><tr>\(words.columns.enumerated().map { "<th\($0 > 6 ? " class=\"n\"" : "")>\($1)</th>" }.joined())</tr></thead>
    <tbody>
    \(statement.lines.map(row).joined(separator: "\n"))
    </tbody>
    </table>
    <table class="totals">
    \(totals)
    </table>
    <footer><p>\(words.rounding)</p>\(hasAdjustments ? "<p>\(words.adjustments)</p>" : "")</footer>
    </body>
    </html>

    """
  }

  private var notices: String {
    var notices: [String] = []
    if isOpen { notices.append(words.provisional) }
    if statement.totals.unpriced > 0 {
      notices.append(words.unpriced.before + number(String(statement.totals.unpriced)) + words.unpriced.after)
    }
    if isStale { notices.append(words.stale) }
    return notices.map { "<p class=\"notice\">\($0)</p>" }.joined(separator: "\n")
  }

  private var facts: String {
    var facts = [
      (words.number, statement.number.map { number(String($0)) } ?? words.noNumber),
      (words.month, number(statement.month.description)),
      (
        words.account,
        number(statement.account.wabaID) + (statement.account.name.isEmpty ? "" : " · " + isolated(statement.account.name))
      ),
      (words.zone, number(statement.account.zone)),
    ]
    if let closed = statement.closedAt { facts.append((words.closed, number(String(closed.rfc3339().prefix(10))))) }
    return facts.map { "<div><dt>\($0)</dt><dd>\($1)</dd></div>" }.joined(separator: "\n")
  }

  private func party(_ role: String, _ party: Statements.Parties.Party) -> String {
    guard !party.name.isEmpty else { return "" }
    var lines = ["<h2>\(role)</h2>", "<p>\(isolated(party.name))</p>"]
    if !party.address.isEmpty { lines.append("<p>\(isolated(party.address))</p>") }
    if !party.taxNumber.isEmpty { lines.append("<p>\(words.taxNumber) \(number(party.taxNumber))</p>") }
    return "<div>" + lines.joined() + "</div>"
  }

  private func row(_ line: Statements.Line) -> String {
    let kind = StatementKind(line, of: statement.month)
    let cells = [
      number(line.day.description), isolated(line.campaignName), number(line.number), words.name(line.market),
      words.name(line.category), words.kinds[kind] ?? "", line.card.map { number($0.description) } ?? "",
    ]
    let figures = [
      line.rate.map { number($0.text()) } ?? "", line.reason == .volumeTier ? "" : number(String(line.count)),
      line.charge == 3 ? "—" : number(line.amount.text()),
    ]
    return "<tr class=\"\(kind.word)\">" + cells.map { "<td>\($0)</td>" }.joined()
      + figures.map { "<td class=\"n\">\($0)</td>" }.joined() + "</tr>"
  }

  private var totals: String {
    let totals = statement.totals
    var rows = [
      (words.totals.exact, totals.exactNet.text()), (words.totals.net, totals.net.text(minimumDecimals: 2)),
    ]
    if let vat = totals.vat {
      let percent = statement.parties.vatPercent.map { " " + number($0.text(minimumDecimals: 0) + "%") } ?? ""
      rows.append((words.totals.vat + percent, vat.text(minimumDecimals: 2)))
    }
    rows.append((words.totals.gross, totals.gross.text(minimumDecimals: 2)))
    return rows.map {
      "<tr><th>\($0)</th><td class=\"n\">\(number($1 + " " + totals.currency.code))</td></tr>"
    }.joined(separator: "\n")
  }

  private var hasAdjustments: Bool {
    statement.lines.contains { StatementKind($0, of: statement.month) == .adjustment }
  }

  /// A figure, a code or a date: left to right wherever it stands.
  private func number(_ text: String) -> String { text.isEmpty ? "" : "<bdi dir=\"ltr\">\(escaped(text))</bdi>" }

  /// What people wrote, in whatever script.
  private func isolated(_ text: String) -> String { text.isEmpty ? "" : "<bdi>\(escaped(text))</bdi>" }

  private func escaped(_ text: String) -> String {
    text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
      .replacing("\"", with: "&quot;")
  }

  private static let style = """
    @page{size:A4 landscape;margin:14mm}
    body{font:12px/1.5 system-ui,"Noto Sans","Noto Sans Arabic","Noto Naskh Arabic",Tahoma,Arial,sans-serif;color:#1a1a1a;\
    max-width:1120px;margin:24px auto;padding:0 16px}
    html[lang=ar] body{font-size:13px;line-height:1.7}
    header{display:flex;justify-content:space-between;align-items:baseline;gap:24px;border-bottom:2px solid #1a1a1a}
    h1{font-size:20px;margin:0 0 8px}h2{font-size:12px;margin:0;color:#555;font-weight:600}p{margin:2px 0}
    .not{font-weight:600}.notice{background:#fff4d6;border-inline-start:4px solid #c98a00;padding:6px 10px;margin:10px 0}
    dl{display:flex;flex-wrap:wrap;gap:8px 32px;margin:14px 0}dt{color:#555}dd{margin:0;font-weight:600}
    .parties{display:grid;grid-template-columns:1fr 1fr;gap:24px;margin:14px 0}
    table{border-collapse:collapse;width:100%}th,td{padding:4px 8px;text-align:start;vertical-align:top}
    thead{display:table-header-group}thead th{border-bottom:1px solid #1a1a1a;font-weight:600}
    tbody td{border-bottom:1px solid #ddd}tr{break-inside:avoid}
    .n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
    .adjustment td,.volume_discount td{background:#f3f6fb}.unpriced td{background:#fff4d6}
    .totals td{border-bottom:0}.totals{width:auto;margin:16px 0 16px auto;margin-inline:auto 0}.totals th{font-weight:400}
    .totals tr:last-child>*{border-top:1px solid #1a1a1a;font-weight:700}
    footer{color:#555;border-top:1px solid #ddd;padding-top:6px}
    @media print{body{margin:0;max-width:none;padding:0}.notice,.adjustment td,.volume_discount td,.unpriced td{\
    -webkit-print-color-adjust:exact;print-color-adjust:exact}}
    """
}
