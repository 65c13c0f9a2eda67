import Domain
import JSON
import Phone

/// One JSON object a line: `phone` and attributes.
struct NDJSONFile: ContactFile {
  var text: InputText
  private(set) var line: Int64 = 1
  var delimiter: UInt8? { nil }

  private let options: ImportOptions
  private let reader = JSONReader(sizeLimit: BrokenFile.lineLimit, depthLimit: 8)
  private var columns: [String: Column] = [:]
  private var phoneName: String?
  private var hasRows = false
  /// Bytes from `start` on in which there is no line end.
  private var searched = 0

  /// Names are mostly the same in all lines; a file that invents new ones for ever does not fill the memory.
  private static let knownNames = 2000

  init(_ options: ImportOptions) {
    self.options = options
    text = InputText(encoding: options.encoding)
  }

  mutating func readRows(into stager: inout RowStager) throws(BrokenFile) {
    while text.count > 0 {
      let start = text.start
      let lineEnd = text.bytes[(start + searched)...].firstIndex(of: 0x0A)
      guard let end = lineEnd ?? (text.isFinished ? text.bytes.count : nil) else {
        searched = text.count
        if text.count > BrokenFile.lineLimit { throw .lineTooLong(line) }
        return
      }
      searched = 0
      if end - start > BrokenFile.lineLimit { throw .lineTooLong(line) }
      let row = Array(text.bytes[start..<end])
      var isText = true
      if row.contains(where: { $0 >= 0x80 }) {
        switch text.judge(end) {
        case .rescan: continue
        case .notText: isText = false
        case .text: break
        }
      }
      try row.withUnsafeBufferPointer { raw throws(BrokenFile) in
        let content = CellText.trimmed(raw)
        if content.isEmpty { return }
        hasRows = true
        guard isText else { return stager.reject(line: line, .encoding, raw: raw) }
        try use(Array(content), raw, isCut: lineEnd == nil, &stager)
      }
      text.consume(to: min(end + 1, text.bytes.count))
      line += 1
    }
  }

  func checkEnd() throws(BrokenFile) {
    if !hasRows { throw .empty() }
  }

  private mutating func use(
    _ content: [UInt8], _ raw: UnsafeBufferPointer<UInt8>, isCut: Bool, _ stager: inout RowStager
  ) throws(BrokenFile) {
    let value: JSONValue
    do throws(JSONError) { value = try reader.value(of: content) } catch {
      if isCut, line > 1 { throw .cut(line) }
      return stager.reject(line: line, .notJSON, raw: raw)
    }
    guard case .object(let object) = value else { return stager.reject(line: line, .notJSON, raw: raw) }
    if object.fields.count > Column.limit { throw .tooManyColumns(line, object.fields.count) }
    if phoneName == nil || !object.fields.contains(where: { $0.key == phoneName }) {
      phoneName = Column.phoneColumn(among: object.fields.map(\.key), asked: options.phoneColumn)
    }
    var cells = RowStager.Cells()
    var attributes = [UInt8(ascii: "{")]
    for field in object.fields {
      var cell: [UInt8]
      switch field.value {
      case .null: continue
      case .string(let text), .number(let text): cell = Array(text.utf8)
      case .bool(let value): cell = Array((value ? "true" : "false").utf8)
      case .array, .object: return stager.reject(line: line, .nested, raw: raw)
      }
      cell = cell.withUnsafeBufferPointer { Array(CellText.trimmed($0)) }
      if cell.isEmpty { continue }
      guard field.key.utf8.count <= Column.nameLimit else { return stager.reject(line: line, .nameTooLong, raw: raw) }
      switch column(named: field.key) {
      case .phone: cells.phone = cell
      case .consentSource: cells.consentSource = cell
      case .consentAt: cells.consentAt = cell
      case .unnamed: break
      case .country(let key):
        cells.region = .some(PhoneRegion(String(decoding: cell, as: UTF8.self)))
        NDJSONFile.add(cell, key, to: &attributes)
      case .userID(let key):
        cells.user = UserID(String(decoding: cell, as: UTF8.self))
        if cells.user == nil { NDJSONFile.add(cell, key, to: &attributes) }
      case .attribute(let key): NDJSONFile.add(cell, key, to: &attributes)
      }
    }
    attributes.append(UInt8(ascii: "}"))
    stager.stage(line: line, cells, attributes: attributes, raw: raw)
  }

  private mutating func column(named name: String) -> Column {
    if name == phoneName { return .phone }
    if let known = columns[name] { return known }
    let column = Column(named: name, phoneColumn: nil, ofOptOuts: options.stops != nil)
    if columns.count < NDJSONFile.knownNames { columns[name] = column }
    return column
  }

  private static func add(_ cell: [UInt8], _ key: [UInt8], to attributes: inout [UInt8]) {
    if attributes.count > 1 { attributes.append(UInt8(ascii: ",")) }
    attributes += key
    attributes.append(UInt8(ascii: "\""))
    cell.withUnsafeBufferPointer { CellText.appendEscaped($0, to: &attributes) }
    attributes.append(UInt8(ascii: "\""))
  }
}
