import Domain
import Postgres
import Reactor
import Store

/// Puts the replies we owe on their way and ends doubts that nobody cleared. Any number of nodes may run one: a reply is
/// taken by one of them, and a stop recorded twice is one stop.
public enum ReplyDesk {
  public struct Settings: Sendable {
    /// How long a waiting reply waits for the next look.
    public var lookEvery: Duration = .milliseconds(250)
    /// Taken in one transaction.
    public var batch = 100
    /// A question without an answer ends as a stop.
    public var doubtPatience: Duration = .seconds(72 * 3600)
    public var doubtsEvery: Duration = .seconds(60)
    public init() {}
  }

  public static func run(
    _ settings: Settings = Settings(), installation: Installation, country: @escaping @Sendable (PhoneNumber) -> String,
    pool: Pool, on reactor: Reactor, log: @escaping @Sendable (String, [(String, String)]) -> Void
  ) async throws {
    var nextDoubts = BootInstant.now
    while !Task.isCancelled {
      do {
        let taken = try await Replies.queue(
          of: installation.business, installation: installation.name, limit: settings.batch, country: country, on: pool)
        if BootInstant.now >= nextDoubts {
          let ended = try await Replies.endDoubts(of: installation.business, patience: settings.doubtPatience, on: pool)
          if ended > 0 { log("doubts_ended", [("count", String(ended))]) }
          nextDoubts = .now + settings.doubtsEvery
        }
        if taken < settings.batch { try await reactor.sleep(for: settings.lookEvery) }
      } catch is CancellationError {
        return
      } catch {
        log("replies_wait", [("error", "\(error)")])
        do { try await reactor.sleep(for: .seconds(1)) } catch { return }
      }
    }
  }
}
