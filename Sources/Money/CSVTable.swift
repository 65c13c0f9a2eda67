import Domain

/// A small CSV file read whole (RFC 4180, with comma, semicolon or tab): rate cards have some fifty lines.
struct CSVTable {
  struct Row {
    /// Where the row begins, from 1.
    let line: Int
    let cells: [String]
  }

  let rows: [Row]

  /// Nil when the bytes are not UTF-8.
  init?(_ bytes: [UInt8]) {
    let bytes = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
    guard String(validating: bytes, as: UTF8.self) != nil else { return nil }
    let delimiter = CSVTable.delimiter(of: bytes)
    var rows: [Row] = []
    var (cells, cell): ([String], [UInt8]) = ([], [])
    var (line, start, isQuoted) = (1, 1, false)
    func trimmed() -> String {
      let text = String(decoding: cell, as: UTF8.self)
      return String(text.drop { $0.isWhitespace }.reversed().drop { $0.isWhitespace }.reversed())
    }
    func endRow() {
      cells.append(trimmed())
      cell = []
      if cells.contains(where: { !$0.isEmpty }) { rows.append(Row(line: start, cells: cells)) }
      cells = []
    }
    var index = bytes.startIndex
    while index < bytes.endIndex {
      let byte = bytes[index]
      let next = index + 1 < bytes.endIndex ? bytes[index + 1] : nil
      if byte == 0x0A || (byte == 0x0D && next != 0x0A) { line += 1 }
      switch byte {
      case UInt8(ascii: "\"") where isQuoted && next == byte:
        cell.append(byte)
        index += 1
      case UInt8(ascii: "\""): isQuoted.toggle()
      case delimiter where !isQuoted:
        cells.append(trimmed())
        cell = []
      case 0x0A where !isQuoted, 0x0D where !isQuoted && next != 0x0A:
        endRow()
        start = line
      default: cell.append(byte)
      }
      index += 1
    }
    endRow()
    self.rows = rows
  }

  /// The one of the three that stands most often outside quotes.
  private static func delimiter(of bytes: ArraySlice<UInt8>) -> UInt8 {
    var counts: [UInt8: Int] = [:]
    var isQuoted = false
    for byte in bytes {
      if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
      if !isQuoted, [UInt8(ascii: ","), UInt8(ascii: ";"), 0x09].contains(byte) { counts[byte, default: 0] += 1 }
    }
    return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? UInt8(ascii: ",")
  }
}
