import Domain
import HTTPServer
import JSON
import Reactor

/// The Cloud API double: speaks Meta's shapes, is as strict as Meta documents itself, and lets the world go wrong on
/// order.
///
/// The Graph API answers under `/v26.0/…` (any version); people, faults and the journal under `/sandbox/…`. Its state
/// is in memory: about 430 MB after a million messages.
public final class Sandbox: Sendable {
  private let world: World
  private let server: HTTPServer
  private let reactor: Reactor

  /// Throws `SandboxSettingsError` when templates or ids are wrong.
  public init(settings: SandboxSettings, on reactor: Reactor) throws {
    self.reactor = reactor
    let world = try World(settings, on: reactor)
    self.world = world
    world.faults.seed(settings.seed)
    var http = HTTPServerSettings(address: settings.address, port: settings.port)
    http.maxConnections = 10_000
    http.identity = settings.identity
    server = HTTPServer(http, on: reactor) { request in await Routes(world).answer(request) }
  }

  /// Listens, and tells the port. Throws `HTTPServerError`.
  public func start() throws -> UInt16 { try server.start() }

  /// Lets requests under way end, then drops what was still to happen.
  public func stop() async {
    let world = world
    await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
      reactor.submit {
        world.wheel.stop()
        world.post.stop()
        done.resume()
      }
    }
    await server.shutdown(grace: .seconds(1))
  }
}
