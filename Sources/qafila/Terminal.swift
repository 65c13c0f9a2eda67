import Glibc

/// Standard output and standard error, and what they are.
enum Terminal {
  /// A person is looking: tables are aligned, Arabic is isolated, progress is drawn.
  static let isTerminal = isatty(1) == 1
  static let isErrorTerminal = isatty(2) == 1
  static let asksPeople = isatty(0) == 1 && isatty(2) == 1

  static func print(_ text: String) { write(text + "\n", to: 1) }
  static func say(_ text: String) { write(text + "\n", to: 2) }

  /// Draws over the line drawn before; only on a terminal.
  static func redraw(_ line: String) { if isErrorTerminal { write("\r\u{1B}[K" + line, to: 2) } }
  static func endRedraw() { if isErrorTerminal { write("\n", to: 2) } }

  /// A reader that went away (`| head`) is no error of ours.
  private static func write(_ text: String, to file: Int32) {
    if !Files.write(Array(text.utf8), to: file) { exit(errno == EPIPE ? 0 : ExitCode.failed.rawValue) }
  }

  static var columns: Int {
    var size = winsize()
    return ioctl(2, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }

  /// FSI…PDI around a cell, so that Arabic and Latin cells keep their places. On a terminal only: in pipes and files
  /// these signs would be part of the data.
  static func isolated(_ text: String) -> String { isTerminal ? "\u{2068}" + text + "\u{2069}" : text }

  /// Columns a text takes: combining signs and invisible ones take none, East Asian ones and emoji two.
  static func width(_ text: String) -> Int { text.unicodeScalars.reduce(0) { $0 + width($1) } }

  private static func width(_ scalar: Unicode.Scalar) -> Int {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return 0
    default: break
    }
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF, 0xFE30...0xFE6F,
      0xFF00...0xFF60,
      0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:
      return 2
    default: return 1
    }
  }
}
