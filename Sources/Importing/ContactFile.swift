import Domain

/// A file of contacts that is read as it comes.
protocol ContactFile {
  var text: InputText { get set }
  /// The line the next row starts on, from 1.
  var line: Int64 { get }
  var delimiter: UInt8? { get }
  /// Reads every row that is whole.
  mutating func readRows(into stager: inout RowStager) throws(BrokenFile)
  /// After the last row.
  func checkEnd() throws(BrokenFile)
}

/// The file, not a row of it, is wrong: reading can't go on.
struct BrokenFile: Error {
  let line: Int64
  let problem: Problem

  /// Bytes of one row.
  static let lineLimit = 1 << 20

  static func lineTooLong(_ line: Int64) -> BrokenFile {
    BrokenFile(
      line: line,
      problem: Problem(
        422, "line_too_long", "A line of the file is longer than 1 MiB.", detail: "Line \(line).",
        remedy: "Look for a quotation mark that is opened there and never closed, and leave out columns that no "
          + "template needs."))
  }

  static func cut(_ line: Int64) -> BrokenFile {
    BrokenFile(
      line: line,
      problem: Problem(
        422, "file_cut", "The file ends in the middle of a row.",
        detail: "Line \(line) is the last; it has fewer cells than every row before it, and no line end.",
        remedy: "Export the file again and send it whole; or send it with on_error=keep, which takes what is before."))
  }

  static func packed() -> BrokenFile {
    BrokenFile(
      line: 1,
      problem: Problem(
        422, "file_packed", "This is a spreadsheet's or an archive's own file, not text.",
        remedy: "Save it as CSV (UTF-8) in the spreadsheet, or unpack it, and send that."))
  }

  static func interrupted(_ line: Int64) -> BrokenFile {
    BrokenFile(
      line: line,
      problem: Problem(
        499, "import_interrupted", "The upload ended before the file did.", detail: "It came as far as line \(line).",
        remedy: "Send the file again: whoever is stored already is not changed by it."))
  }

  static func unclosedQuote(_ line: Int64) -> BrokenFile {
    BrokenFile(
      line: line,
      problem: Problem(
        422, "quote_unclosed", "A quotation mark is opened and never closed.",
        detail: "In the row that begins at line \(line).",
        remedy: "Close it, or double it when it belongs to the text."))
  }

  static func tooManyColumns(_ line: Int64, _ count: Int) -> BrokenFile {
    BrokenFile(
      line: line,
      problem: Problem(
        422, "columns_too_many", "A file may have 200 columns.", detail: "Line \(line) has \(count).",
        remedy: "Leave out the columns that no template needs."))
  }

  static func columnNameTooLong(_ line: Int64, _ place: Int) -> BrokenFile {
    BrokenFile(
      line: line,
      problem: Problem(
        422, "column_name_too_long", "The name of a column may have 100 bytes.", detail: "Column \(place).",
        remedy: "Shorten it; if it is data, the header is missing."))
  }

  static func columnTwice(_ line: Int64, _ place: Int) -> BrokenFile {
    BrokenFile(
      line: line,
      problem: Problem(
        422, "column_twice", "Two columns have the same name.", detail: "Column \(place) repeats an earlier one.",
        remedy: "Rename one of them."))
  }

  static func phoneColumnMissing(_ line: Int64, asked: Bool) -> BrokenFile {
    BrokenFile(
      line: line,
      problem: Problem(
        422, "phone_column_missing", "The file has no column of phones.",
        detail: asked ? "The header has no column of the name given." : "The first line has none of its usual names.",
        field: "phone_column",
        remedy: "Name the column `phone` (or `user_id`, for Meta's ids), or give its name as ?phone_column=. The first "
          + "line must hold the names."))
  }

  static func empty() -> BrokenFile {
    BrokenFile(
      line: 1,
      problem: Problem(
        422, "file_empty", "The file has no rows.",
        remedy: "Send a header with a column `phone` and a row for each person."))
  }
}

extension ContactFile {
  /// Takes what came and reads the rows that are whole by now.
  mutating func feed(_ chunk: ArraySlice<UInt8>, _ stager: inout RowStager) throws(BrokenFile) {
    text.append(chunk)
    if text.isPacked { throw .packed() }
    try readRows(into: &stager)
  }

  mutating func finish(_ stager: inout RowStager) throws(BrokenFile) {
    text.finish()
    if text.isPacked { throw .packed() }
    try readRows(into: &stager)
    try checkEnd()
  }
}
