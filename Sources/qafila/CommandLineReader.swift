import Domain

/// Finds the command in what was typed and reads its options.
struct CommandLineReader {
  let commands: [Command]

  enum Reading {
    case run(Invocation)
    /// Of one command, of a group (`campaigns`), or of the program.
    case help(Command?, group: String?)
  }

  static let everywhere = [Option("help", nil, "this text")]

  func read(_ typed: [String]) throws(UsageError) -> Reading {
    let words = typed.prefix { !$0.hasPrefix("-") }
    let command = commands.filter { words.starts(with: $0.words) }.max { $0.words.count < $1.words.count }
    guard let command else {
      let group = words.first.flatMap { word in commands.contains { $0.words[0] == word } ? word : nil }
      if typed.isEmpty || typed.contains("--help") || typed.contains("-h") || words.first == "help" {
        return .help(nil, group: group)
      }
      if let group, words.count == 1 { return .help(nil, group: group) }
      throw unknown(Array(words), group)
    }
    if typed.contains("--help") || typed.contains("-h") { return .help(command, group: nil) }
    return .run(try invocation(of: command, Array(typed.dropFirst(command.words.count))))
  }

  private func unknown(_ words: [String], _ group: String?) -> UsageError {
    guard let first = words.first else {
      return UsageError("A command is expected first.", remedy: "See qafila --help.")
    }
    if let group {
      let known = commands.filter { $0.words[0] == group }.compactMap { $0.words.dropFirst().first }
      let nearest = words.dropFirst().first.flatMap { NearestWord.to($0, among: known) }
      return UsageError(
        "qafila \(group) has no command \(words.dropFirst().first ?? "").",
        remedy: nearest.map { "Did you mean qafila \(group) \($0)?" } ?? "Known: \(known.joined(separator: ", ")).")
    }
    let nearest = NearestWord.to(first, among: commands.map { $0.words[0] })
    return UsageError(
      "There is no command \(first).", remedy: nearest.map { "Did you mean qafila \($0)?" } ?? "See qafila --help.")
  }

  private func invocation(of command: Command, _ typed: [String]) throws(UsageError) -> Invocation {
    let known = CommandLineReader.options(of: command)
    var options: [String: [String]] = [:]
    var arguments: [String] = []
    var rest = typed[...]
    var isOver = false
    while let word = rest.popFirst() {
      guard word.hasPrefix("--"), !isOver else {
        arguments.append(word)
        continue
      }
      if word == "--" {
        isOver = true
        continue
      }
      let parts = word.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
        String.init)
      guard let option = known.first(where: { $0.name == parts[0] }) else {
        let nearest = NearestWord.to(parts[0], among: known.map(\.name))
        throw UsageError(
          "qafila \(command.name) has no option --\(parts[0]).",
          remedy: nearest.map { "Did you mean --\($0)?" } ?? "See qafila \(command.name) --help.")
      }
      let value: String
      if option.value == nil {
        guard parts.count == 1 else { throw UsageError("--\(option.name) takes no value.") }
        value = ""
      } else if parts.count == 2 {
        value = parts[1]
      } else {
        guard let next = rest.popFirst() else {
          throw UsageError("--\(option.name) needs a value.", remedy: "Write --\(option.name) \(option.value ?? "").")
        }
        value = next
      }
      guard options[option.name] == nil || option.isRepeatable else {
        throw UsageError("--\(option.name) stands here twice.")
      }
      options[option.name, default: []].append(value)
    }
    try check(arguments, of: command)
    return Invocation(command: command, arguments: arguments, options: options)
  }

  private func check(_ arguments: [String], of command: Command) throws(UsageError) {
    let least = command.arguments.filter { !$0.hasPrefix("[") }.count
    let takesMore = command.arguments.last?.contains("…") == true
    if arguments.count < least {
      throw UsageError(
        "qafila \(command.name) needs \(command.arguments[arguments.count]).", remedy: Help.usage(of: command))
    }
    if !takesMore, arguments.count > command.arguments.count {
      throw UsageError(
        "qafila \(command.name) does not take \(arguments[command.arguments.count]).", remedy: Help.usage(of: command))
    }
  }

  static func options(of command: Command) -> [Option] {
    command.options + command.settings.flatMap(\.options) + everywhere
  }
}
