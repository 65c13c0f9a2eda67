import Domain

/// What a run of the program says to whoever started it. Documented in `qafila --help`; never renumber.
enum ExitCode: Int32, CaseIterable, Error {
  case done = 0
  /// Something went wrong inside, or a check of `doctor` failed.
  case failed = 1
  case usage = 2
  /// There is no such thing.
  case missing = 3
  /// The service said no: the request, or the state of things, does not allow it.
  case refused = 4
  /// The key is unknown, or its role may not.
  case forbidden = 5
  /// The service, the database or Meta did not answer; trying again may help.
  case unavailable = 6
  case interrupted = 130

  var meaning: String {
    switch self {
    case .done: "done"
    case .failed: "failed inside, or a check failed"
    case .usage: "wrong arguments or settings"
    case .missing: "there is no such thing"
    case .refused: "refused: the request or the state of things does not allow it"
    case .forbidden: "the key is unknown or its role may not"
    case .unavailable: "the service, the database or Meta did not answer"
    case .interrupted: "interrupted by a signal"
    }
  }

  init(status: Int) {
    switch status {
    case 401, 403: self = .forbidden
    case 404: self = .missing
    case 400..<500: self = .refused
    case 502, 503, 504: self = .unavailable
    default: self = .failed
    }
  }
}
