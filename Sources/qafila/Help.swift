/// The texts of `--help`.
enum Help {
  static func usage(of command: Command) -> String {
    let arguments = command.arguments.map { " " + $0 }.joined()
    return "Usage: qafila \(command.name)\(arguments) [options]"
  }

  static func text(of command: Command) -> String {
    var text = command.summary + "\n\n" + usage(of: command) + "\n"
    for paragraph in command.details { text += "\n" + wrapped(paragraph, 100) + "\n" }
    return text + "\nOptions:\n"
      + columns(
        CommandLineReader.options(of: command).map { option in
          (
            "--" + option.name + (option.value.map { " " + $0 } ?? ""),
            option.help + (option.isRepeatable ? " (repeatable)" : "")
          )
        })
  }

  static func text(_ commands: [Command], group: String?) -> String {
    let shown = commands.filter { group == nil || $0.words[0] == group }
    var text =
      "Qafila: campaigns over WhatsApp's Cloud API, from your own machine.\n\nUsage: qafila COMMAND [options]\n\n"
    text += columns(shown.map { ($0.name + $0.arguments.map { " " + $0 }.joined(), $0.summary) })
    if group == nil {
      text +=
        "\nqafila COMMAND --help tells the options of each. Secrets come from the environment or from files,\n"
      text += "never from the command line.\n\nExit codes:\n"
      text += columns(ExitCode.allCases.map { (String($0.rawValue), $0.meaning) })
    }
    return text
  }

  private static func wrapped(_ text: String, _ width: Int) -> String {
    var lines = [""]
    for word in text.split(separator: " ") {
      let line = lines[lines.count - 1]
      if line.isEmpty {
        lines[lines.count - 1] = String(word)
      } else if line.count + word.count < width {
        lines[lines.count - 1] += " " + word
      } else {
        lines.append(String(word))
      }
    }
    return lines.joined(separator: "\n")
  }

  private static func columns(_ rows: [(String, String)]) -> String {
    let width = min(44, rows.map(\.0.count).max() ?? 0)
    let indent = String(repeating: " ", count: width + 4)
    return rows.map { left, right in
      let gap = left.count > width ? "\n" + indent : String(repeating: " ", count: width - left.count + 2)
      return "  " + left + gap + wrapped(right, max(30, 110 - width)).replacing("\n", with: "\n" + indent) + "\n"
    }.joined()
  }
}
