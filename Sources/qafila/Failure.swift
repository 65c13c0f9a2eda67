import Domain
import Glibc
import HTTPClient
import HTTPServer
import Postgres
import Store

/// Says what went wrong, on standard error, and which exit code tells it.
enum Failure {
  static func say(_ error: any Error) -> ExitCode {
    switch error {
    case let code as ExitCode: return code
    case let usage as UsageError:
      Terminal.say("qafila: " + usage.message + (usage.remedy.isEmpty ? "" : "\n" + usage.remedy))
      return .usage
    case let problem as Problem:
      say(problem)
      return ExitCode(status: problem.status)
    case let mismatch as MigrationError:
      say(mismatch.problem)
      return .refused
    case let wrong as InstallationError:
      say(wrong.problem)
      return .refused
    case let failure as DatabaseError:
      Terminal.say("qafila: \(failure)")
      if case .rejected = failure { return .failed }
      Terminal.say("Check QAFILA_DATABASE_URL and that PostgreSQL runs.")
      return .unavailable
    case let failure as HTTPFailure:
      Terminal.say(
        "qafila: the service did not answer (\(failure.reason)).\nCheck QAFILA_URL and that qafila serve runs.")
      return .unavailable
    case HTTPServerError.refused(let call, let number):
      Terminal.say(
        "qafila: cannot listen: \(call) failed (\(String(cString: strerror(number)))).\nGive another address: --listen."
      )
      return .failed
    case let failure as ClusterError:
      Terminal.say("qafila: \(failure)")
      return .failed
    case is CancellationError: return .interrupted
    default:
      Terminal.say("qafila: \(error)")
      return .failed
    }
  }

  private static func say(_ problem: Problem) {
    var text = "qafila: " + problem.title
    if !problem.detail.isEmpty { text += " " + problem.detail }
    if let field = problem.field { text += "\nField: " + field }
    if let remedy = problem.remedy { text += "\n" + remedy }
    Terminal.say(text)
  }
}

extension Failure {
  /// The service did not answer, or answered that it cannot work now.
  static func isAway(_ error: any Error) -> Bool {
    if error is HTTPFailure { return true }
    return (error as? Problem).map { ExitCode(status: $0.status) == .unavailable } ?? false
  }
}
