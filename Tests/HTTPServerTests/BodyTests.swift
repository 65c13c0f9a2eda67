import Domain
import HTTPServer
import Reactor
import Testing

@Suite struct `A request body` {
  /// Counts the body in chunks.
  @Sendable static func count(_ request: HTTPServerRequest) async -> HTTPResponse {
    request.allowBody(upTo: 1 << 30)
    var total = 0
    do {
      while let chunk = try await request.nextChunk() { total += chunk.count }
    } catch {
      return HTTPResponse(error)
    }
    return .text(200, "\(total)")
  }

  @Test func `arrives whole when it is chunked`() async throws {
    try await withServer { port, clients in
      let peer = Peer(port, on: clients)
      await peer.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n")
      await peer.send("4;ext=1\r\ndefg\r\n0\r\n\r\n")
      #expect(await peer.answer()?.text == "POST / abcdefg")
    }
  }

  @Test func `of many megabytes passes through in pieces, and the connection lives on`() async throws {
    try await withServer(handler: Self.count) { port, clients in
      let peer = Peer(port, on: clients)
      let size = 20 << 20
      await peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n")
      let sent = await peer.send([UInt8](repeating: 7, count: size))
      #expect(sent == size)
      #expect(await peer.answer()?.text == "\(size)")
      await peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx")
      #expect(await peer.answer()?.text == "1")
    }
  }

  @Test func `is not read before somebody asks`() async throws {
    let events = Events()
    let gate = Reactor(name: "gate")
    gate.start()
    try await withServer(handler: { request in
      request.allowBody(upTo: 1 << 30)
      await events.note("started")
      await events.wait(for: "go")
      return await Self.count(request)
    }) { port, clients in
      let peer = Peer(port, on: clients)
      let size = 64 << 20
      await peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n")
      await events.wait(for: "started")
      let early = await peer.send([UInt8](repeating: 7, count: size), until: .now + .milliseconds(300))
      #expect(early < 16 << 20, "the server took \(early) bytes that nobody asked for")
      await events.note("go")
      let late = await peer.send([UInt8](repeating: 7, count: size - early))
      #expect(early + late == size)
      #expect(await peer.answer()?.text == "\(size)")
    }
    gate.stop()
  }

  @Test func `above the declared limit is refused before it is sent`() async throws {
    try await withServer { port, clients in
      let peer = Peer(port, on: clients)
      await peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 104857600\r\nExpect: 100-continue\r\n\r\n")
      #expect(await peer.answer()?.status == 413)
    }
  }

  @Test func `of 100 MB is refused with 413 without reading it all`() async throws {
    try await withServer { port, clients in
      let peer = Peer(port, on: clients)
      let size = 100 << 20
      await peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(size)\r\n\r\n")
      let sent = await peer.send([UInt8](repeating: 7, count: size))
      #expect(sent < 16 << 20, "the server took \(sent) bytes")
      let answer = await peer.answer()
      #expect(answer?.status == 413)
      #expect(answer?.headers["connection"] == "close")
    }
  }

  @Test func `that grows past the limit while it streams is refused with 413`() async throws {
    try await withServer { port, clients in
      let peer = Peer(port, on: clients)
      await peer.send("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
      let chunk = Array("10000\r\n".utf8) + [UInt8](repeating: 7, count: 0x10000) + Array("\r\n".utf8)
      for _ in 0..<64 where await peer.send(chunk) < chunk.count { break }
      #expect(await peer.answer()?.status == 413)
    }
  }

  @Test func `asked for with 100-continue gets its go-ahead`() async throws {
    try await withServer(handler: Self.count) { port, clients in
      let peer = Peer(port, on: clients)
      await peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\nExpect: 100-continue\r\n\r\n")
      #expect(await peer.answer()?.status == 100)
      _ = await peer.send([UInt8](repeating: 7, count: 100_000))
      #expect(await peer.answer()?.text == "100000")
    }
  }

  @Test func `whose sender leaves ends the reading`() async throws {
    let events = Events()
    try await withServer(handler: { request in
      do {
        while let chunk = try await request.nextChunk() { await events.note("chunk \(chunk.count)") }
        await events.note("end")
      } catch {
        await events.note("\(error)")
      }
      return .text(200, "")
    }) { port, clients in
      let peer = Peer(port, on: clients)
      await peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 200000\r\n\r\nabc")
      await events.wait(for: "chunk 3")
      await peer.hangUp()
      await events.wait(for: "disconnected")
      #expect(await events.all == ["chunk 3", "disconnected"])
    }
  }

  @Test func `may be left unread by an answer, which still arrives`() async throws {
    try await withServer(handler: { _ in .text(403, "no") }) { port, clients in
      let peer = Peer(port, on: clients)
      await peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n")
      let sent = await peer.send([UInt8](repeating: 7, count: 500_000))
      #expect(sent == 500_000)
      #expect(await peer.answer()?.text == "no")
      #expect(await peer.rest() == [])
      #expect(await !peer.wasReset)
    }
  }

  @Test func `left half read by a long answer is forgotten, and the answer arrives`() async throws {
    try await withServer(handler: { request in
      do throws(HTTPBodyError) { _ = try await request.nextChunk() } catch { return HTTPResponse(error) }
      return .text(200, String(repeating: "z", count: 50_000))
    }) { port, clients in
      let peer = Peer(port, on: clients)
      await peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 500000\r\n\r\n")
      _ = await peer.send([UInt8](repeating: 7, count: 500_000))
      #expect(await peer.answer()?.body.count == 50_000)
    }
  }
}

@Suite struct `A deadline` {
  @Test func `ends a head that drips`() async throws {
    try await withServer({ $0.headTimeout = .milliseconds(400) }) { port, clients in
      let peer = Peer(port, on: clients)
      for byte in "GET / HTTP/1.1\r\nHost: h\r\nX-Drip: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa".utf8 {
        guard await peer.send([byte]) == 1 else { break }
        try await clients.sleep(for: .milliseconds(20))
      }
      #expect(await peer.answer()?.status == 408)
      #expect(await peer.rest() != nil)
    }
  }

  @Test func `ends a silent connection`() async throws {
    try await withServer({ $0.headTimeout = .milliseconds(200) }) { port, clients in
      let peer = Peer(port, on: clients)
      #expect(await peer.rest(within: 30) != nil)
    }
  }

  @Test func `ends a kept-alive connection that stays silent`() async throws {
    try await withServer({ $0.keepAliveTimeout = .milliseconds(200) }) { port, clients in
      let peer = Peer(port, on: clients)
      await peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      #expect(await peer.answer()?.status == 200)
      #expect(await peer.rest(within: 30) == [])
    }
  }

  @Test(arguments: [1000, 500_000]) func `ends a body that drips`(_ length: Int) async throws {
    try await withServer({
      $0.bodyIdleTimeout = .milliseconds(400)
      $0.minBodyRate = 100_000
    }) { port, clients in
      let peer = Peer(port, on: clients)
      let start = BootInstant.now
      await peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: \(length)\r\n\r\n")
      for _ in 0..<200 {
        guard await peer.send([65]) == 1, BootInstant.now - start < .seconds(3) else { break }
        try await clients.sleep(for: .milliseconds(20))
      }
      #expect(await peer.answer()?.status == 408)
    }
  }

  @Test func `ends a body that stalls`() async throws {
    try await withServer({ $0.bodyIdleTimeout = .milliseconds(200) }) { port, clients in
      let peer = Peer(port, on: clients)
      await peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\nabc")
      #expect(await peer.answer(within: 30)?.status == 408)
      #expect(await peer.rest(within: 30) == [])
    }
  }

  @Test func `does not count the time the handler takes`() async throws {
    let pause = Reactor(name: "pause")
    pause.start()
    try await withServer(
      {
        $0.bodyIdleTimeout = .seconds(2)
        $0.minBodyRate = 1 << 30
      },
      handler: { request in
        do { try await pause.sleep(for: .seconds(3)) } catch { return .text(500, "") }
        return await echo(request)
      }
    ) { port, clients in
      let peer = Peer(port, on: clients)
      await peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n")
      _ = await peer.send([UInt8](repeating: 65, count: 100_000))
      #expect(await peer.answer()?.status == 200)
    }
    pause.stop()
  }

  @Test func `ends a request whose handler takes too long`() async throws {
    let pause = Reactor(name: "pause")
    pause.start()
    let events = Events()
    try await withServer(
      { $0.maxRequestTime = .milliseconds(100) },
      handler: { _ in
        do { try await pause.sleep(for: .seconds(60)) } catch { await events.note("cancelled") }
        return .text(200, "late")
      }
    ) { port, clients in
      let peer = Peer(port, on: clients)
      await peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      #expect(await peer.answer()?.status == 503)
      await events.wait(for: "cancelled")
    }
    pause.stop()
  }
}
