import Glibc
import Reactor

/// The program: finds the command, runs it, and says how it went by its exit code.
@main
struct Qafila {
  /// The loop on which commands run; the service's roles have their own.
  static let reactor: Reactor = {
    let reactor = Reactor(name: "command")
    reactor.start()
    return reactor
  }()

  static func main() async {
    Signals.ignoreBrokenPipes()
    let typed = Array(CommandLine.arguments.dropFirst())
    let code = await Task(executorPreference: reactor.tasks) { await run(typed) }.value
    exit(code.rawValue)
  }

  private static func run(_ typed: [String]) async -> ExitCode {
    do {
      switch try CommandLineReader(commands: Commands.all).read(typed) {
      case .help(let command?, _): Terminal.print(Help.text(of: command))
      case .help(nil, let group): Terminal.print(Help.text(Commands.all, group: group))
      case .run(let invocation): try await invocation.command.run(invocation)
      }
      return .done
    } catch {
      return Failure.say(error)
    }
  }
}
