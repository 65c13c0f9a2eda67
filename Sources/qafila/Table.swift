/// Rows for people: aligned on a terminal, tab-separated in a pipe.
struct Table {
  enum Side { case left, right }

  let columns: [(name: String, side: Side)]
  private var rows: [[String]] = []

  init(_ columns: [(String, Side)]) { self.columns = columns.map { (name: $0.0, side: $0.1) } }

  mutating func add(_ cells: [String]) {
    precondition(cells.count == columns.count, "a row of \(cells.count) cells in a table of \(columns.count)")
    rows.append(cells.map { $0.isEmpty ? "-" : $0.replacing("\n", with: " ").replacing("\t", with: " ") })
  }

  var text: String {
    let all = [columns.map { $0.name.uppercased() }] + rows
    guard Terminal.isTerminal else { return all.map { $0.joined(separator: "\t") }.joined(separator: "\n") }
    let widths = columns.indices.map { column in all.map { Terminal.width($0[column]) }.max() ?? 0 }
    return all.map { row in
      row.enumerated().map { column, cell in
        let gap = String(repeating: " ", count: widths[column] - Terminal.width(cell))
        let isLast = column == columns.count - 1 && columns[column].side == .left
        return columns[column].side == .right
          ? gap + Terminal.isolated(cell) : Terminal.isolated(cell) + (isLast ? "" : gap)
      }.joined(separator: "  ")
    }.joined(separator: "\n")
  }
}
