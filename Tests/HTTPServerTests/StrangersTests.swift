import Domain
import HTTPServer
import Reactor
import Testing

@Suite struct `Among strangers` {
  /// Deterministic chance; the seed is in the failure message.
  struct Dice {
    var state: UInt64
    mutating func roll(_ sides: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % sides
    }
  }

  /// Does what its path says, in every way a handler can.
  @Sendable static func moody(_ request: HTTPServerRequest, _ clock: Reactor) async -> HTTPResponse {
    do throws(HTTPBodyError) {
      switch request.path {
      case "/read":
        request.allowBody(upTo: 1 << 22)
        var total = 0
        while let chunk = try await request.nextChunk() { total += chunk.count }
        return .text(200, "\(total)")
      case "/slow":
        do { try await clock.sleep(for: .milliseconds(3)) } catch { return .abort }
        return await echo(request)
      case "/half":
        _ = try await request.nextChunk()
        return .text(200, String(repeating: "h", count: 20_000))
      case "/stream":
        return HTTPResponse(
          status: 200,
          body: .stream { writer in
            for size in [1, 300_000, 10, 70_000] { try await writer.write([UInt8](repeating: 65, count: size)) }
          })
      case "/fail":
        return HTTPResponse(
          status: 200,
          body: .stream { writer in
            try await writer.write("x")
            throw CancellationError()
          })
      case "/abort": return .abort
      case "/bad": return HTTPResponse(status: 200, headers: [("X", "a\nb")], body: .bytes([]))
      default: return .text(200, "ok")
      }
    } catch {
      return HTTPResponse(error)
    }
  }

  @Test(arguments: [1, 2, 3, 4] as [UInt64]) func `the server serves on and stops clean`(_ seed: UInt64) async throws {
    let clock = Reactor(name: "clock")
    clock.start()
    try await withServer(
      {
        $0.headTimeout = .milliseconds(400)
        $0.bodyIdleTimeout = .milliseconds(400)
        $0.writeIdleTimeout = .milliseconds(400)
      }, handler: { await Self.moody($0, clock) }
    ) { port, clients in
      await withTaskGroup(of: Void.self) { group in
        for index in 0..<150 {
          group.addTask {
            var dice = Dice(state: seed &* 1000 &+ UInt64(index))
            let peer = Peer(port, on: clients)
            for _ in 0...dice.roll(3) {
              let path = ["/read", "/slow", "/half", "/stream", "/fail", "/abort", "/bad", "/"][dice.roll(8)]
              let length = [0, 1, 5000, 70_000, 300_000][dice.roll(5)]
              let isChunked = dice.roll(3) == 0
              var bytes = Array("POST \(path) HTTP/1.1\r\nHost: h\r\n".utf8)
              if isChunked {
                bytes += Array("Transfer-Encoding: chunked\r\n\r\n".utf8)
                if length > 0 {
                  bytes +=
                    Array((String(length, radix: 16) + "\r\n").utf8) + [UInt8](repeating: 66, count: length) + [13, 10]
                }
                bytes += Array("0\r\n\r\n".utf8)
              } else {
                bytes += Array("Content-Length: \(length)\r\n\r\n".utf8) + [UInt8](repeating: 66, count: length)
              }
              if dice.roll(4) == 0 { bytes.removeLast(dice.roll(bytes.count)) }
              if dice.roll(8) == 0 { bytes[dice.roll(bytes.count)] = UInt8(dice.roll(256)) }
              _ = await peer.send(bytes, until: .now + .seconds(2))
              switch dice.roll(4) {
              case 0: return await peer.hangUp()
              case 1: await peer.finishSending()
              default: break
              }
              if await peer.answer(within: 2) == nil { return }
            }
          }
        }
      }
      let peer = Peer(port, on: clients)
      await peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      #expect(await peer.answer()?.text == "ok", "seed \(seed)")
    }
    clock.stop()
  }
}
