import Testing

@testable import qafila

@Suite struct `The command line` {
  @Test func `answers a wrong word with the right one`() throws {
    let shell = try Shell()
    let command = try shell.run("qafila campaings list")
    #expect(command.code == 2 && command.output.contains("Did you mean qafila campaigns?"))
    let action = try shell.run("qafila campaigns lsit")
    #expect(action.code == 2 && action.output.contains("Did you mean qafila campaigns list?"))
    let option = try shell.run("qafila campaigns list --lmit 3")
    #expect(option.code == 2 && option.output.contains("Did you mean --limit?"))
    let missing = try shell.run("qafila campaigns show")
    #expect(missing.code == 2 && missing.output.contains("needs ID"))
    try shell.remove()
  }

  @Test func `takes neither a secret nor a phone`() throws {
    let shell = try Shell(["QAFILA_API_KEY=qk_x"])
    for secret in ["api-key", "seal-key", "app-secret", "verify-token", "access-token"] {
      for command in Commands.all {
        #expect(
          !CommandLineReader.options(of: command).contains { $0.name == secret }, "\(command.name) takes --\(secret)")
      }
    }
    for command in ["opt-outs add", "opt-outs search", "campaigns test 12"] {
      let result = try shell.run("qafila \(command) +201001234567")
      #expect(result.code == 2 && result.output.contains("standard input"), "\(result.output)")
    }
    try shell.remove()
  }

  @Test func `says by its exit code who must act`() throws {
    let shell = try Shell()
    #expect(try shell.run("qafila numbers list").code == 2)
    let away = "QAFILA_API_KEY=qk_x QAFILA_URL=http://127.0.0.1:1"
    #expect(try shell.run("\(away) qafila numbers list").code == 6)
    #expect(try shell.run("QAFILA_DATABASE_URL='postgresql:///x?host=/nowhere' qafila migrate").code == 6)
    #expect(try shell.run("qafila --help").code == 0)
    try shell.remove()
  }

  @Test func `helps with every command`() throws {
    for command in Commands.all {
      let help = Help.text(of: command)
      #expect(help.hasPrefix(command.summary) && help.contains("--help"))
      #expect(help.split(separator: "\n").allSatisfy { $0.count <= 120 }, "\(command.name)")
      guard case .help(let found?, _) = try CommandLineReader(commands: Commands.all).read(command.words + ["--help"])
      else {
        Issue.record("no help for \(command.name)")
        continue
      }
      #expect(found.words == command.words)
    }
  }

  @Test func `reads secrets from files, without the line's end`() throws {
    let shell = try Shell()
    _ = try shell.run("printf 'secret\\n' > key")
    let value = try Setting.apiKey.value(["api-key-file": [shell.directory + "/key"]])
    #expect(value == "secret")
    #expect(throws: UsageError.self) { try Setting.apiKey.value(["api-key-file": [shell.directory + "/none"]]) }
    try shell.remove()
  }
}

@Suite struct `A table` {
  @Test func `is separated by tabs where nobody looks`() {
    var table = Table([("name", .left), ("count", .right)])
    table.add(["القاهرة", "12"])
    table.add(["", "a\tb"])
    #expect(table.text == "NAME\tCOUNT\nالقاهرة\t12\n-\ta b")
  }

  @Test func `counts columns as a terminal does`() {
    #expect(Terminal.width("القاهرة") == 7)
    #expect(Terminal.width("مُحَمَّد") == 4)
    #expect(Terminal.width("\u{2068}abc\u{2069}") == 3)
    #expect(Terminal.width("日本") == 4)
  }

  @Test func `tells an upload's pace and the time it will still take`() {
    #expect(Progress.pace(50_000_000, 100_000_000, after: .seconds(10)) == "5.0 MB/s  0:10 left")
    #expect(Progress.pace(1_000_000, 7_201_000_000, after: .seconds(1)) == "1.0 MB/s  2:00:00 left")
    #expect(Progress.pace(50_000_000, nil, after: .seconds(10)) == "5.0 MB/s")
    #expect(Progress.pace(100, 100, after: .seconds(10)) == "0.0 MB/s")
    #expect(Progress.pace(50_000, 100_000, after: .milliseconds(200)) == "")
  }

  @Test func `finds out which word of an import is the file`() throws {
    func order(_ first: String, _ second: String?) throws -> AudiencesCommand.Order {
      try AudiencesCommand.order(first, second) { $0 == "-" || $0.hasSuffix(".csv") }
    }
    #expect(try order("people.csv", "all") == .init(file: "people.csv", audience: "all", isNamedByFile: false))
    #expect(try order("all", "people.csv") == .init(file: "people.csv", audience: "all", isNamedByFile: false))
    #expect(try order("all", "-") == .init(file: "-", audience: "all", isNamedByFile: false))
    #expect(
      try order("in/Eid 2026.csv", nil) == .init(file: "in/Eid 2026.csv", audience: "Eid 2026", isNamedByFile: true))
    #expect(throws: UsageError.self) { try order("-", nil) }
  }

  @Test func `writes numbers for people`() {
    #expect([0, 999, 1000, 1_234_567].map(Progress.grouped) == ["0", "999", "1,000", "1,234,567"])
  }
}
