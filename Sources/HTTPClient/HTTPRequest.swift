import Domain
import Reactor

/// One request. It is a value: nothing of it is shared with the client but the header list.
public struct HTTPRequest: Sendable {
  public var method: String
  public var url: String
  /// Built once and reused over requests on a hot path.
  public var headers: HeaderList
  public var body: [UInt8]
  /// From `send` to the answer's last byte, connecting included.
  public var timeout: Duration
  /// When set and no byte may have left by then, the request ends as `neverWritten("late")` instead of leaving late:
  /// after a frozen process wakes, what waited for a connection does not burst out beside its successor's sends.
  public var writeBy: BootInstant?
  /// Sent in place of `body`, read while it leaves: for files that memory should not hold. For `POST`.
  public var upload: HTTPUpload?
  /// Takes the body of a 2xx answer piece by piece in place of `HTTPAnswer.body`, without a limit; false ends the transfer.
  /// It runs on the reactor's thread.
  public var sink: (@Sendable (UnsafeRawBufferPointer) -> Bool)?
  /// Off: only the headers in `HTTPAnswer.keptHeaders` are copied.
  public var collectsAllHeaders = false
  /// Connects, TLS included, and writes nothing: ends as `neverWritten("probed")` when it could have.
  public var isProbe = false
  /// Set: the body is a mail, sent to an smtp:// or smtps:// address. The answer's status is the server's last reply. libcurl
  /// waits for that reply without giving the thread back, so mail needs a reactor of its own; `timeout` bounds the wait.
  public var mail: MailEnvelope?

  public init(
    _ method: String, _ url: String, headers: HeaderList = .none, body: [UInt8] = [], timeout: Duration = .seconds(30),
    writeBy: BootInstant? = nil
  ) {
    (self.method, self.url, self.headers, self.body) = (method, url, headers, body)
    (self.timeout, self.writeBy) = (timeout, writeBy)
  }

  public init(
    _ method: String, _ url: String, headers: [(String, String)], body: [UInt8] = [], timeout: Duration = .seconds(30),
    writeBy: BootInstant? = nil
  ) {
    self.init(method, url, headers: HeaderList(headers), body: body, timeout: timeout, writeBy: writeBy)
  }
}

/// A body that is read while it is sent.
public struct HTTPUpload: Sendable {
  /// Nil: nobody knows it before the end; sent in chunks.
  public let length: Int?
  /// Fills the buffer and says how much of it; 0 is the end, below 0 ends the transfer. It runs on the reactor's thread, so
  /// a reactor that sends from slow disks should do nothing else.
  public let read: @Sendable (UnsafeMutableRawBufferPointer) -> Int

  /// Of bytes that are there.
  init(of bytes: [UInt8]) {
    /// Read by one transfer, on the reactor's thread.
    final class Place: @unchecked Sendable { var at = 0 }
    let place = Place()
    self.init(length: bytes.count) { room in
      let count = min(room.count, bytes.count - place.at)
      room.copyBytes(from: bytes[place.at..<place.at + count])
      place.at += count
      return count
    }
  }

  public init(length: Int?, read: @escaping @Sendable (UnsafeMutableRawBufferPointer) -> Int) {
    (self.length, self.read) = (length, read)
  }
}

/// A whole answer, whatever its status. Redirects are answers too: they are never followed.
public struct HTTPAnswer: Sendable {
  /// What is kept without `collectsAllHeaders`.
  public static let keptHeaders = ["content-type", "retry-after", "x-app-usage", "x-business-use-case-usage"]

  public let status: Int
  /// Lower-case names, in the order received.
  public let headers: [(String, String)]
  public let body: [UInt8]
  /// When the request's first byte may have left.
  public let writtenAt: BootInstant

  public init(status: Int, headers: [(String, String)], body: [UInt8], writtenAt: BootInstant) {
    (self.status, self.headers, self.body, self.writtenAt) = (status, headers, body, writtenAt)
  }

  /// The first value of a header, by its lower-case name.
  public func header(_ name: String) -> String? { headers.first { $0.0 == name }?.1 }
}

/// Why there is no answer, split by what the caller may do. The reasons are constant words, safe to log: `address`,
/// `busy`, `cancelled`, `closed`, `dns`, `failed`, `garbled`, `late`, `malformed`, `probed`, `refused`, `timeout`, `tls`, `too_large`.
public enum HTTPFailure: Error, Hashable, Sendable {
  /// No byte of the request left this machine: sending it again is safe.
  case neverWritten(reason: String)
  /// Bytes may have left, at most once, and no usable answer came: the other side may have acted.
  case unanswered(reason: String)

  public var reason: String {
    switch self {
    case .neverWritten(let reason), .unanswered(let reason): reason
    }
  }
}

/// A request in flight, to cancel it by.
public struct HTTPTransferID: Hashable, Sendable {
  let slot: Int
  let generation: UInt64
}
