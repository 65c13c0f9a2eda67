/// One row of RFC 4180, found in place: the fields' bytes are not copied.
///
/// More is forgiven than the RFC allows: LF and CR alone end rows, and text behind a closing quote belongs to the
/// field.
struct CSVRow {
  struct Field {
    let start: Int
    let end: Int
    /// Holds doubled quotes that stand for one.
    let isEscaped: Bool
  }

  private(set) var fields: [Field] = []
  /// Where the next row starts.
  private(set) var next = 0
  /// Where this row's text ends, before its line end.
  private(set) var end = 0
  private(set) var lineEnds = 0
  private(set) var isASCII = true

  enum Outcome { case row, needsMore, unclosedQuote }

  /// Reads the row that starts at `start`. `isWhole`: nothing comes behind `text`.
  mutating func read(_ text: UnsafeBufferPointer<UInt8>, from start: Int, isWhole: Bool, delimiter: UInt8) -> Outcome {
    fields.removeAll(keepingCapacity: true)
    lineEnds = 0
    var bits: UInt8 = 0
    var at = start
    let count = text.count
    while true {
      if at < count, text[at] == quote {
        let fieldStart = at + 1
        var isEscaped = false
        at = fieldStart
        while true {
          while at < count, text[at] != quote {
            if text[at] == lf { lineEnds += 1 }
            bits |= text[at]
            at += 1
          }
          if at == count { return isWhole ? .unclosedQuote : .needsMore }
          if at + 1 == count, !isWhole { return .needsMore }
          guard at + 1 < count, text[at + 1] == quote else { break }
          isEscaped = true
          at += 2
        }
        var fieldEnd = at
        at += 1
        // Usually nothing stands here.
        while at < count, text[at] != delimiter, text[at] != lf, text[at] != cr {
          bits |= text[at]
          if text[at] != 0x20 { (fieldEnd, isEscaped) = (at + 1, true) }
          at += 1
        }
        fields.append(Field(start: fieldStart, end: fieldEnd, isEscaped: isEscaped))
      } else {
        let fieldStart = at
        while at < count, text[at] != delimiter, text[at] != lf, text[at] != cr {
          bits |= text[at]
          at += 1
        }
        fields.append(Field(start: fieldStart, end: at, isEscaped: false))
      }
      if at == count {
        guard isWhole else { return .needsMore }
        (end, next) = (at, at)
        break
      }
      if text[at] == delimiter {
        at += 1
        continue
      }
      if text[at] == cr, at + 1 == count, !isWhole { return .needsMore }
      end = at
      next = text[at] == cr && at + 1 < count && text[at + 1] == lf ? at + 2 : at + 1
      lineEnds += 1
      break
    }
    isASCII = bits < 0x80
    return .row
  }

  /// The field without doubled quotes, into `scratch`; a quote that is not doubled goes.
  static func unescape(_ text: UnsafeBufferPointer<UInt8>, _ field: Field, into scratch: inout [UInt8]) {
    scratch.removeAll(keepingCapacity: true)
    var at = field.start
    while at < field.end {
      if text[at] == quote {
        at += 1
        if at < field.end, text[at] == quote { scratch.append(quote) } else { continue }
      } else {
        scratch.append(text[at])
      }
      at += 1
    }
  }
}

private let quote = UInt8(ascii: "\"")
private let lf: UInt8 = 0x0A
private let cr: UInt8 = 0x0D
