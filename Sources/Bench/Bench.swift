import Glibc
import Reactor

/// Measures what the project promises of its speed, each figure beside a floor measured in the same run, as JSON lines.
///
/// Service, PostgreSQL and Sandbox run as processes of their own, on one machine, as built in release.
@main
struct Bench {
  struct Figure: Sendable {
    let name: String
    let about: String
    let run: @Sendable (Bench.Options) async throws -> Void
  }

  static let figures = [
    Figure(name: "send_throughput", about: "recorded sends per second, CPU and WAL per message", run: SendThroughput.run),
    Figure(name: "expansion", about: "freezing a million contacts less 200,000 opt-outs", run: ExpansionTime.run),
    Figure(name: "import", about: "a million rows from the first byte to the answer", run: ImportTime.run),
    Figure(name: "intake", about: "receipts stored per second, one by one and by a hundred", run: IntakeRate.run),
    Figure(name: "receipt_storm", about: "a million receipts in disorder, over five kills", run: StormFigure.run),
    Figure(name: "pace_under_load", about: "80 a second beside an import and an expansion", run: PaceUnderLoad.run),
    Figure(name: "forecast", about: "a dry run over a million contacts, beside its counting query", run: ForecastTime.run),
    Figure(name: "sender_memory", about: "peak memory at 10,000 and at a million recipients", run: SenderMemory.run),
    Figure(name: "report_messages", about: "a million lines of the messages report, and memory", run: ReportTime.run),
    Figure(name: "window_law", about: "80 a second for 30 s: fullest second, slots used", run: WindowLawFigure.run),
    Figure(name: "pace_error", about: "80 and 1,000 a second, each jitter: kept rate, fullest second, p99", run: PaceError.run),
    Figure(name: "takeover", about: "from kill -9 of an owner to the next owner's first send", run: Takeover.run),
    Figure(name: "stop_delay", about: "from a pause's commit to the last message", run: StopDelay.run),
    Figure(name: "pause_delay", about: "from a webhook, a command or a fallen colour to the last message", run: PauseDelay.run),
    Figure(
      name: "guard_population", about: "100 badly targeted campaigns with and without the guard, 100 healthy ones",
      run: GuardPopulation.run),
    Figure(name: "stop_to_silence", about: "from an opt-out to the last message to that person", run: StopToSilence.run),
  ]

  struct Options: Sendable {
    var rounds = 3
    /// Of `send_throughput`.
    var recipients = 100_000
    /// Of `pace_error`, each of its four measurements; how long `intake` keeps its rate.
    var seconds = 60
    /// Of `expansion`, `report_messages`, `import` and `pace_under_load`; the messages that `intake` has receipts for.
    var contacts = 1_000_000
    /// `pace_error` beside an import, a forecast and a report of `contacts` each.
    var beside = false
    /// Of `expansion`, in a hundred.
    var optOuts = 20
    /// Of `send_throughput`: one without a rate that would matter, or several at 1,000 a second each.
    var numbers = 1
    /// Requests in flight of the bare client.
    var inFlight = 64
    /// Keeps the cluster's folder and says where it is.
    var keeps = false
  }

  static func main() async {
    signal(SIGPIPE, SIG_IGN)
    var options = Options()
    var names: [String] = []
    var words = Array(CommandLine.arguments.dropFirst())
    func number(_ option: String) -> Int {
      guard let word = words.first, let value = Int(word), value > 0 else { refuse("\(option) takes a whole number") }
      words.removeFirst()
      return value
    }
    while let word = words.first {
      words.removeFirst()
      switch word {
      case "--rounds": options.rounds = number(word)
      case "--seconds": options.seconds = number(word)
      case "--recipients": options.recipients = number(word)
      case "--contacts": options.contacts = number(word)
      case "--opt-outs": options.optOuts = number(word)
      case "--numbers":
        options.numbers = number(word)
        guard options.numbers <= 40 else { refuse("--numbers takes at most 40") }
      case "--in-flight": options.inFlight = number(word)
      case "--beside": options.beside = true
      case "--keep": options.keeps = true
      default:
        guard figures.contains(where: { $0.name == word }) else { refuse("there is no figure \(word)") }
        names.append(word)
      }
    }
    let reactor = Reactor(name: "bench")
    reactor.start()
    for figure in figures where names.isEmpty || names.contains(figure.name) {
      say("\(figure.name): \(figure.about)")
      let settings = options
      let failure = await Task(executorPreference: reactor.tasks) { () -> String? in
        do {
          try await figure.run(settings)
          return nil
        } catch { return "\(error)" }
      }.value
      if let failure {
        say("\(figure.name) failed: \(failure)")
        exit(1)
      }
    }
  }

  private static func refuse(_ reason: String) -> Never {
    say(
      "\(reason)\nusage: deploy/bench [--rounds N] [--seconds N] [--recipients N] [--contacts N] [--opt-outs PERCENT] "
        + "[--numbers N] [--in-flight N] [--beside] [--keep] [NAME…]\n"
        + figures.map { "  \($0.name): \($0.about)" }.joined(separator: "\n"))
    exit(2)
  }

  /// Progress, on standard error: standard output has JSON lines alone.
  static func say(_ text: String) { put(text + "\n", 2) }

  static func put(_ text: String, _ descriptor: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else { return }
      bytes = bytes.dropFirst(count)
    }
  }
}

/// A requirement of the measurement itself that was not met: the figure would mean nothing.
struct BenchError: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
