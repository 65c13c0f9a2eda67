import Domain
import HTTPServer
import Reactor
import Testing

@Suite struct `A server` {
  @Test func `answers a small request`() async throws {
    try await withServer { port, clients in
      let peer = Peer(port, on: clients)
      await peer.send("POST /a%20b?x=1 HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello")
      let answer = await peer.answer()
      #expect(answer?.status == 200)
      #expect(answer?.text == "POST /a b hello")
    }
  }

  @Test func `answers request after request on one connection`() async throws {
    try await withServer(handler: { .text(200, "\($0.ordinalOnConnection)") }) { port, clients in
      let peer = Peer(port, on: clients)
      for index in 1...5 {
        await peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(await peer.answer()?.text == "\(index)")
      }
    }
  }

  @Test func `answers pipelined requests in order`() async throws {
    try await withServer { port, clients in
      let peer = Peer(port, on: clients)
      let requests = (0..<20).map { "POST /\($0) HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\n\($0 % 10)" }
      await peer.send(requests.joined())
      for index in 0..<20 { #expect(await peer.answer()?.text == "POST /\(index) \(index % 10)") }
    }
  }

  @Test func `answers a handler that suspends`() async throws {
    let slow = Reactor(name: "slow")
    slow.start()
    try await withServer(handler: { request in
      do { try await slow.sleep(for: .milliseconds(5)) } catch { return .text(500, "cancelled") }
      return .text(200, "late")
    }) { port, clients in
      let peer = Peer(port, on: clients)
      for _ in 0..<3 {
        await peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        #expect(await peer.answer()?.text == "late")
      }
    }
    slow.stop()
  }

  @Test func `decodes the query and lends the header fields`() async throws {
    try await withServer(handler: { request in
      let query = request.query.map { "\($0)=\($1)" }.joined(separator: "&")
      return .text(200, "\(query) \(request.header("x-thing") ?? "-") \(request.header("missing") ?? "-")")
    }) { port, clients in
      let peer = Peer(port, on: clients)
      await peer.send("GET /p?hub.mode=a%26b&empty=&bare&q=a+b HTTP/1.1\r\nHost: h\r\nX-THING:  v 1 \r\n\r\n")
      #expect(await peer.answer()?.text == "hub.mode=a&b&empty=&bare=&q=a b v 1 -")
    }
  }

  @Test func `closes without a byte when told to abort`() async throws {
    try await withServer(handler: { $0.ordinalOnConnection == 2 ? .abort : .text(200, "one") }) { port, clients in
      let peer = Peer(port, on: clients)
      await peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      #expect(await peer.answer()?.text == "one")
      await peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab")
      #expect(await peer.rest() == [])
    }
  }
}
