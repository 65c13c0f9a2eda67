/// `ArabicFolding` the other way round, for whoever compares texts that are stored as they were written: which spellings
/// fold to the letters of a few texts. Reading folds what is stored only as far as those texts need it.
///
/// What it gives is text for PostgreSQL's `translate`, `replace` and regular expressions; it comes from `ArabicFolding`
/// itself, scalar by scalar, so that both can't differ. Beyond the basic plane nothing is folded.
public struct ArabicSpellings: Sendable, Equatable {
  /// Letter for letter: each scalar of `written` folds to the scalar at the same place of `folded`.
  public let written: String
  public let folded: String
  /// Scalars that fold to several, such as `ﻻ`, `ß`.
  public let ligatures: [Ligature]

  public struct Ligature: Sendable, Equatable {
    public let written: String
    public let folded: String
  }

  /// For texts that are folded already.
  public init(of texts: some Sequence<String>) {
    var letters: Set<Unicode.Scalar> = []
    for text in texts { letters.formUnion(text.unicodeScalars) }
    var (written, folded) = (String.UnicodeScalarView(), String.UnicodeScalarView())
    for (spelling, letter) in ArabicSpellings.all.letters where letters.contains(letter) {
      written.append(spelling)
      folded.append(letter)
    }
    (self.written, self.folded) = (String(written), String(folded))
    ligatures = ArabicSpellings.all.ligatures.filter { $0.folded.unicodeScalars.allSatisfy(letters.contains) }
  }

  /// What disappears: at the ends invisible scalars and white space, between letters the invisible ones.
  public static var vanishing: String {
    let (white, invisible) = (all.white, all.invisible)
    return "^[\(white)\(invisible)]+|[\(white)\(invisible)]+$|[\(invisible)]+"
  }
  /// What becomes one space.
  public static var white: String { "[\(all.white)]+" }

  private struct Table {
    var letters: [(Unicode.Scalar, Unicode.Scalar)] = []
    var ligatures: [Ligature] = []
    /// Ranges as they stand in a regular expression's brackets.
    var white = ""
    var invisible = ""
  }

  private static let all: Table = {
    var table = Table()
    var (white, invisible): ([UInt32], [UInt32]) = ([], [])
    // PostgreSQL's texts hold no NUL. The ideographs and Hangul fold to themselves.
    for value in Array(UInt32(1)..<0x3400) + Array(UInt32(0xA620)..<0xAC00) + Array(UInt32(0xE000)...0xFFFF) {
      guard let scalar = Unicode.Scalar(value) else { continue }
      if scalar.properties.isWhitespace {
        white.append(value)
        continue
      }
      let folded = Array(ArabicFolding.folded(String(Character(scalar))).unicodeScalars)
      switch folded.count {
      case 0: invisible.append(value)
      case 1: if folded[0] != scalar { table.letters.append((scalar, folded[0])) }
      default:
        var text = String.UnicodeScalarView()
        text.append(contentsOf: folded)
        table.ligatures.append(Ligature(written: String(Character(scalar)), folded: String(text)))
      }
    }
    (table.white, table.invisible) = (ranges(white), ranges(invisible))
    return table
  }()

  private static func ranges(_ values: [UInt32]) -> String {
    var text = ""
    var start = 0
    while start < values.count {
      var end = start
      while end + 1 < values.count, values[end + 1] == values[end] + 1 { end += 1 }
      text += escaped(values[start]) + (end > start ? "-" + escaped(values[end]) : "")
      start = end + 1
    }
    return text
  }

  private static func escaped(_ value: UInt32) -> String {
    let hex = String(value, radix: 16)
    return "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
  }
}
