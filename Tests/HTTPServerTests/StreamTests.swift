import Domain
import Glibc
import HTTPServer
import Reactor
import Testing

@Suite struct `A streamed answer` {
  @Test func `arrives in order and whole`() async throws {
    try await withServer(handler: { _ in
      HTTPResponse(
        status: 200,
        body: .stream { writer in
          for index in 0..<1000 { try await writer.write("line \(index)\n") }
        })
    }) { port, clients in
      let peer = Peer(port, on: clients)
      for _ in 0..<2 {
        await peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        let text = await peer.answer()?.text
        #expect(text == (0..<1000).map { "line \($0)\n" }.joined())
      }
    }
  }

  @Test(arguments: [1, 1000, 30_000, 88_064, 131_072, 200_000, 262_144, 300_000, 1_000_000])
  func `arrives whole in pieces of any size`(_ size: Int) async throws {
    try await withServer(handler: { _ in
      HTTPResponse(
        status: 200,
        body: .stream { writer in
          for _ in 0..<30 { try await writer.write([UInt8](repeating: 65, count: size)) }
        })
    }) { port, clients in
      let peer = Peer(port, on: clients)
      await peer.send("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")
      let bytes = await peer.rest(within: 30)
      #expect(bytes?.count { $0 == 65 } ?? 0 >= 30 * size)
    }
  }

  @Test func `waits for a slow reader with bounded memory`() async throws {
    let written = Lock(0)
    let chunk = [UInt8](repeating: 65, count: 64 * 1024)
    try await withServer(handler: { _ in
      HTTPResponse(
        status: 200,
        body: .stream { writer in
          for _ in 0..<1024 {
            try await writer.write(chunk)
            written.with { $0 += chunk.count }
          }
        })
    }) { port, clients in
      let peer = Peer(port, on: clients, receiveBuffer: 64 * 1024)
      await peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      #expect(await peer.bytes(100_000) != nil)
      // The writer stops where the kernel's buffers and ours end: wait until it no longer moves.
      var last = -1
      while written.with({ $0 }) != last {
        last = written.with { $0 }
        try await clients.sleep(for: .milliseconds(100))
      }
      #expect(last < 8 << 20, "\(last) bytes were written ahead of a reader that took 0.1 MB")
      #expect(await peer.bytes(60 << 20, within: 60) != nil)
    }
  }

  @Test func `that nobody reads ends its writer`() async throws {
    let events = Events()
    try await withServer(handler: { _ in
      HTTPResponse(
        status: 200,
        body: .stream { writer in
          do {
            while true { try await writer.write([UInt8](repeating: 65, count: 64 * 1024)) }
          } catch {
            await events.note("\(type(of: error))")
            throw error
          }
        })
    }) { port, clients in
      let peer = Peer(port, on: clients)
      await peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      #expect(await peer.bytes(1000) != nil)
      await peer.hangUp()
      await events.wait(for: "HTTPDisconnected")
    }
  }

  @Test func `of events reaches the reader one by one, and a silent one learns that its reader left`() async throws {
    let events = Events()
    let pause = Reactor(name: "pause")
    pause.start()
    try await withServer(handler: { _ in
      HTTPResponse(
        status: 200, headers: [("Content-Type", "text/event-stream")],
        body: .stream { writer in
          do {
            for index in 0..<3 {
              try await writer.write("data: \(index)\n\n")
              await events.wait(for: "seen \(index)")
            }
            try await pause.sleep(for: .seconds(60))
          } catch {
            await events.note("cancelled")
            throw error
          }
        })
    }) { port, clients in
      let peer = Peer(port, on: clients)
      await peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      var got = ""
      for index in 0..<3 {
        while !got.contains("data: \(index)") {
          guard let byte = await peer.bytes(1) else { break }
          got += String(decoding: byte, as: UTF8.self)
        }
        await events.note("seen \(index)")
      }
      #expect(got.contains("HTTP/1.1 200"))
      await peer.hangUp()
      await events.wait(for: "cancelled")
    }
    pause.stop()
  }

  @Test func `that fails in the middle is cut, not ended`() async throws {
    struct Broken: Error {}
    try await withServer(handler: { _ in
      HTTPResponse(
        status: 200,
        body: .stream { writer in
          try await writer.write("half")
          throw Broken()
        })
    }) { port, clients in
      let peer = Peer(port, on: clients)
      await peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      let bytes = await peer.rest()
      let text = String(decoding: bytes ?? [], as: UTF8.self)
      #expect(!text.contains("\r\n0\r\n"))
    }
  }

  @Test func `whose reader stalls is given up`() async throws {
    let events = Events()
    try await withServer(
      { $0.writeIdleTimeout = .milliseconds(300) },
      handler: { _ in
        HTTPResponse(
          status: 200,
          body: .stream { writer in
            do {
              while true { try await writer.write([UInt8](repeating: 65, count: 64 * 1024)) }
            } catch {
              await events.note("given up")
              throw error
            }
          })
      }
    ) { port, clients in
      let peer = Peer(port, on: clients)
      await peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      await events.wait(for: "given up")
      #expect(await !peer.isClosed)
    }
  }
}

@Suite struct `A shutdown` {
  @Test func `lets the request in hand be answered, closes idle connections and refuses new ones`() async throws {
    let reactor = Reactor(name: "server")
    reactor.start()
    let clients = Reactor(name: "clients")
    clients.start()
    let events = Events()
    let server = HTTPServer(HTTPServerSettings(), on: reactor) { request in
      await events.note("started")
      await events.wait(for: "go")
      return await echo(request)
    }
    let port = try server.start()
    let idle = Peer(port, on: clients)
    let busy = Peer(port, on: clients)
    await busy.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab")
    await events.wait(for: "started")
    async let over: Void = server.shutdown(grace: .seconds(20))
    #expect(await idle.rest() == [])
    let late = Peer(port, on: clients)
    #expect(await late.rest() == [])
    await events.note("go")
    let answer = await busy.answer()
    #expect(answer?.text == "POST / ab")
    #expect(answer?.headers["connection"]?.lowercased() == "close")
    await over
    #expect(await busy.rest() == [])
    reactor.stop()
    clients.stop()
  }

  @Test func `cuts what outlasts its grace and cancels the handlers`() async throws {
    let reactor = Reactor(name: "server")
    reactor.start()
    let clients = Reactor(name: "clients")
    clients.start()
    let events = Events()
    let server = HTTPServer(HTTPServerSettings(), on: reactor) { request in
      await events.note("started \(request.path)")
      switch request.path {
      case "/stream":
        return HTTPResponse(
          status: 200,
          body: .stream { writer in
            while true { try await writer.write([UInt8](repeating: 65, count: 64 * 1024)) }
          })
      case "/upload":
        do { while (try await request.nextChunk()) != nil {} } catch { await events.note("upload ended") }
      default:
        do { try await clients.sleep(for: .seconds(60)) } catch { await events.note("sleep ended") }
      }
      return .text(200, "")
    }
    let port = try server.start()
    let peers = [Peer(port, on: clients), Peer(port, on: clients), Peer(port, on: clients)]
    await peers[0].send("GET /stream HTTP/1.1\r\nHost: h\r\n\r\n")
    await peers[1].send("POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nx")
    await peers[2].send("GET /sleep HTTP/1.1\r\nHost: h\r\n\r\n")
    for path in ["/stream", "/upload", "/sleep"] { await events.wait(for: "started \(path)") }
    await server.shutdown(grace: .milliseconds(50))
    await events.wait(for: "upload ended")
    await events.wait(for: "sleep ended")
    reactor.stop()
    clients.stop()
  }

  @Test func `ends streams that never end by themselves at once and well`() async throws {
    let reactor = Reactor(name: "server")
    reactor.start()
    let clients = Reactor(name: "clients")
    clients.start()
    let server = HTTPServer(HTTPServerSettings(), on: reactor) { _ in
      var response = HTTPResponse(
        status: 200,
        body: .stream { writer in
          try await writer.write("data: 1\n\n")
          try await clients.sleep(for: .seconds(60))
        })
      response.endsWithServer = true
      return response
    }
    let port = try server.start()
    let peer = Peer(port, on: clients)
    await peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
    while let byte = await peer.bytes(1), byte != [UInt8(ascii: "1")] {}
    let start = BootInstant.now
    await server.shutdown(grace: .seconds(20))
    #expect(BootInstant.now - start < .seconds(15), "it waited for the grace to pass")
    let end = await peer.rest() ?? []
    #expect(String(decoding: end, as: UTF8.self).hasSuffix("0\r\n\r\n"))
    reactor.stop()
    clients.stop()
  }
}
