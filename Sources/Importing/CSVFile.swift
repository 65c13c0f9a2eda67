import Domain
import Phone

/// CSV with a header; the delimiter is the one the header uses most.
struct CSVFile: ContactFile {
  var text: InputText
  private(set) var line: Int64 = 1
  private(set) var delimiter: UInt8?

  private let options: ImportOptions
  private var columns: [Column] = []
  private var row = CSVRow()
  /// Not to be read again before so many bytes are there: a long row that comes in drops would be read from its start
  /// at each drop.
  private var patience = 0

  private var cells = RowStager.Cells()
  private var attributes: [UInt8] = []
  private var scratch: [UInt8] = []
  /// Rows before with a cell for every column, and whether one lacked some.
  private var fullRows = 0
  private var hasShortRows = false
  private var countryText: [UInt8] = []
  private var country: PhoneRegion??

  init(_ options: ImportOptions) {
    self.options = options
    text = InputText(encoding: options.encoding)
    delimiter = options.delimiter
  }

  mutating func readRows(into stager: inout RowStager) throws(BrokenFile) {
    while text.count > 0 {
      if columns.isEmpty, delimiter == nil, !findDelimiter() { return try holdOn() }
      if text.count < patience, !text.isFinished { return }
      let start = text.start
      let outcome = text.bytes.withUnsafeBufferPointer {
        row.read($0, from: start, isWhole: text.isFinished, delimiter: delimiter ?? UInt8(ascii: ","))
      }
      switch outcome {
      case .needsMore: return try holdOn()
      case .unclosedQuote: throw .unclosedQuote(line)
      case .row: break
      }
      patience = 0
      if row.end - start > BrokenFile.lineLimit { throw .lineTooLong(line) }
      var isText = true
      if !row.isASCII {
        switch text.judge(row.end) {
        case .rescan: continue
        case .notText: isText = false
        case .text: break
        }
      }
      let bytes = text.bytes
      try bytes.withUnsafeBufferPointer { bytes throws(BrokenFile) in try use(bytes, isText, &stager) }
      text.consume(to: row.next)
      line += Int64(row.lineEnds)
    }
  }

  func checkEnd() throws(BrokenFile) {
    if columns.isEmpty { throw .empty() }
  }

  private mutating func holdOn() throws(BrokenFile) {
    if text.count > BrokenFile.lineLimit { throw .lineTooLong(line) }
    patience = min(text.count * 2, BrokenFile.lineLimit + 1)
  }

  private mutating func use(
    _ bytes: UnsafeBufferPointer<UInt8>, _ isText: Bool, _ stager: inout RowStager
  ) throws(BrokenFile) {
    let raw = UnsafeBufferPointer(rebasing: bytes[text.start..<row.end])
    if columns.isEmpty { return try useHeader(bytes, isText) }
    if row.fields.count == 1, CellText.trimmed(raw).isEmpty { return }
    if !isText { return stager.reject(line: line, .encoding, raw: raw) }
    if row.fields.count > columns.count {
      for field in row.fields[columns.count...] where field.end > field.start {
        return stager.reject(line: line, .tooManyFields, raw: raw)
      }
    }
    if row.fields.count >= columns.count {
      fullRows += 1
    } else {
      // A writer that fills every row and no line end: the file ends in the middle of this one.
      if text.isFinished, row.next == row.end, fullRows > 0, !hasShortRows { throw .cut(line) }
      hasShortRows = true
    }
    var isBlank = true
    cells.phone.removeAll(keepingCapacity: true)
    cells.consentSource.removeAll(keepingCapacity: true)
    cells.consentAt.removeAll(keepingCapacity: true)
    cells.user = nil
    cells.region = nil
    attributes.removeAll(keepingCapacity: true)
    attributes.append(UInt8(ascii: "{"))
    for (place, field) in row.fields.prefix(columns.count).enumerated() where field.end > field.start {
      if field.isEscaped {
        CSVRow.unescape(bytes, field, into: &scratch)
        let copy = scratch
        copy.withUnsafeBufferPointer { take($0, columns[place], &isBlank) }
      } else {
        take(UnsafeBufferPointer(rebasing: bytes[field.start..<field.end]), columns[place], &isBlank)
      }
    }
    if isBlank { return }
    attributes.append(UInt8(ascii: "}"))
    stager.stage(line: line, cells, attributes: attributes, raw: raw)
  }

  private mutating func take(_ cell: UnsafeBufferPointer<UInt8>, _ column: Column, _ isBlank: inout Bool) {
    let value = CellText.trimmed(cell)
    if value.isEmpty { return }
    isBlank = false
    switch column {
    case .phone: cells.phone.append(contentsOf: value)
    case .consentSource: cells.consentSource.append(contentsOf: value)
    case .consentAt: cells.consentAt.append(contentsOf: value)
    case .unnamed: break
    case .country(let key):
      if !value.elementsEqual(countryText) || country == nil {
        countryText = Array(value)
        country = .some(PhoneRegion(String(decoding: value, as: UTF8.self)))
      }
      cells.region = country
      add(value, key)
    case .userID(let key):
      cells.user = UserID(String(decoding: value, as: UTF8.self))
      if cells.user == nil { add(value, key) }
    case .attribute(let key): add(value, key)
    }
  }

  private mutating func add(_ value: UnsafeBufferPointer<UInt8>, _ key: [UInt8]) {
    if attributes.count > 1 { attributes.append(UInt8(ascii: ",")) }
    attributes.append(contentsOf: key)
    attributes.append(UInt8(ascii: "\""))
    CellText.appendEscaped(value, to: &attributes)
    attributes.append(UInt8(ascii: "\""))
  }

  // MARK: The header

  private mutating func useHeader(_ bytes: UnsafeBufferPointer<UInt8>, _ isText: Bool) throws(BrokenFile) {
    var names: [String] = []
    for field in row.fields {
      CSVRow.unescape(bytes, field, into: &scratch)
      if !field.isEscaped { scratch = Array(bytes[field.start..<field.end]) }
      names.append(scratch.withUnsafeBufferPointer { String(decoding: CellText.trimmed($0), as: UTF8.self) })
    }
    while names.last == "" { names.removeLast() }
    if names.isEmpty { return }
    // Excel's own line before the header.
    if names.count <= 2, names[0].lowercased().hasPrefix("sep=") || names[0].lowercased() == "sep" { return }
    guard isText else {
      throw BrokenFile(
        line: line,
        problem: Problem(
          422, "encoding_unknown", "The header is not text in the file's encoding.",
          remedy: "Export the file as CSV (UTF-8), or give ?encoding=."))
    }
    if names.count > Column.limit { throw .tooManyColumns(line, names.count) }
    for (place, name) in names.enumerated() where name.utf8.count > Column.nameLimit {
      throw .columnNameTooLong(line, place + 1)
    }
    let phone = Column.phoneColumn(among: names, asked: options.phoneColumn)
    guard phone != nil || options.phoneColumn == nil && Column.holdUserIDs(names) else {
      throw .phoneColumnMissing(line, asked: options.phoneColumn != nil)
    }
    var found: [Column] = []
    for (place, name) in names.enumerated() {
      let column = Column(named: name, phoneColumn: phone, ofOptOuts: options.stops != nil)
      if column != .unnamed, found.contains(column) { throw .columnTwice(line, place + 1) }
      found.append(column)
    }
    columns = found
  }

  /// False while the first line is not whole.
  private mutating func findDelimiter() -> Bool {
    var counts: [UInt8: Int] = [:]
    var isQuoted = false
    var isBlank = true
    var at = text.start
    let bytes = text.bytes
    while at < bytes.count {
      let byte = bytes[at]
      if byte == UInt8(ascii: "\"") {
        isQuoted.toggle()
      } else if !isQuoted {
        if byte == 0x0A || byte == 0x0D {
          // Blank lines before the header say nothing.
          if !isBlank { break }
        } else if byte == UInt8(ascii: ",") || byte == UInt8(ascii: ";") || byte == 0x09 {
          counts[byte, default: 0] += 1
        }
      }
      if byte > 0x20 { isBlank = false }
      at += 1
    }
    if at == bytes.count, !text.isFinished { return false }
    let comma = UInt8(ascii: ",")
    delimiter = [comma, UInt8(ascii: ";"), 0x09].max { counts[$0, default: 0] < counts[$1, default: 0] } ?? comma
    if counts.isEmpty { delimiter = comma }
    return true
  }
}
