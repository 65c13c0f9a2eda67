/// An option of a command: `--name VALUE`, or a switch `--name`.
struct Option: Sendable {
  let name: String
  /// The word for its value in the help; nil for a switch.
  let value: String?
  let help: String
  var isRepeatable = false

  init(_ name: String, _ value: String? = nil, _ help: String, isRepeatable: Bool = false) {
    (self.name, self.value, self.help, self.isRepeatable) = (name, value, help, isRepeatable)
  }
}

/// One command: `qafila campaigns show ID`.
struct Command: Sendable {
  /// `["campaigns", "show"]`
  let words: [String]
  /// Names of the arguments; one ending in `…` takes all that follow, one in brackets may be missing.
  var arguments: [String] = []
  let summary: String
  /// Further paragraphs of the help.
  var details: [String] = []
  var options: [Option] = []
  /// Settings it reads, by flag or environment.
  var settings: [Setting] = []
  let run: @Sendable (Invocation) async throws -> Void

  var name: String { words.joined(separator: " ") }
}

/// A command with what was typed after it.
struct Invocation: Sendable {
  let command: Command
  let arguments: [String]
  let options: [String: [String]]

  func has(_ name: String) -> Bool { options[name] != nil }
  func option(_ name: String) -> String? { options[name]?.last }

  func argument(_ index: Int) -> String? { arguments.indices.contains(index) ? arguments[index] : nil }

  /// An argument that the command's line makes certain.
  func required(_ index: Int) -> String {
    guard let argument = argument(index) else { preconditionFailure("\(command.name) lacks argument \(index)") }
    return argument
  }

  /// A setting by its flag, the environment, or a file that either names.
  func setting(_ setting: Setting) throws(UsageError) -> String? { try setting.value(options) }

  func required(_ setting: Setting) throws(UsageError) -> String {
    guard let value = try setting.value(options) else {
      throw UsageError("\(setting.variable) is not set.", remedy: "Set \(setting.sources).")
    }
    return value
  }
}

/// What was typed cannot be done; the sentence says why and what to type instead.
struct UsageError: Error {
  let message: String
  let remedy: String

  init(_ message: String, remedy: String = "") { (self.message, self.remedy) = (message, remedy) }
}
