import Domain
import HTTPServer
import Reactor
import Testing

/// The heads that MHD 0.9.75 answers 200 by itself, or worse.
@Suite struct `The guard` {
  static let refused: [(String, String)] = [
    (
      "both length headers",
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    ("two lengths", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!"),
    ("one length twice", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello"),
    ("an unknown transfer coding", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    ("a list of transfer codings", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
    (
      "chunked twice",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
    ),
    ("identity", "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: identity\r\n\r\n"),
    ("a transfer coding in HTTP/1.0", "POST / HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    ("no Host", "GET / HTTP/1.1\r\n\r\n"),
    ("no Host beside other fields", "GET / HTTP/1.1\r\nX: y\r\n\r\n"),
    ("two Hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    ("a space before the colon", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length : 1\r\n\r\na"),
    ("a tab before the colon", "GET / HTTP/1.1\r\nHost: h\r\nX\t: 1\r\n\r\n"),
    ("a folded line", "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n"),
    ("a folded first line", "GET / HTTP/1.1\r\n Host: h\r\n\r\n"),
    ("a fold after the only field", "GET / HTTP/1.1\r\nHost: h\r\n \r\n\r\n"),
    ("a fold in the middle", "GET / HTTP/1.1\r\nX: a\r\n\tb\r\nHost: h\r\n\r\n"),
    ("a fold that spells a length", "POST / HTTP/1.1\r\nHost: h\r\nContent: 5\r\n -Length\r\n\r\nhello"),
    ("a fold whose text is empty", "GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n\t\r\nY: b\r\n\r\n"),
    ("bare line feeds", "GET / HTTP/1.1\nHost: h\n\n"),
    ("a bare line feed in one line", "GET / HTTP/1.1\r\nX: y\nHost: h\r\n\r\n"),
    ("a bare line feed at the end", "GET / HTTP/1.1\r\nHost: h\r\n\n"),
    ("a bare carriage return", "GET / HTTP/1.1\r\nHost: h\r\nX: a\rY: b\r\n\r\n"),
    ("a NUL in a value", "GET / HTTP/1.1\r\nHost: h\r\nX: a\0b\r\n\r\n"),
    ("a NUL in a name", "GET / HTTP/1.1\r\nHost: h\r\nX\0Y: a\r\n\r\n"),
    ("a control character", "GET / HTTP/1.1\r\nHost: h\r\nX: a\u{1}b\r\n\r\n"),
    ("a line without a colon", "GET / HTTP/1.1\r\nHost: h\r\nnonsense\r\n\r\n"),
    ("an empty name", "GET / HTTP/1.1\r\nHost: h\r\n: v\r\n\r\n"),
    ("a method that is not a token", "G@T / HTTP/1.1\r\nHost: h\r\n\r\n"),
    ("a NUL in the method", "GE\0T / HTTP/1.1\r\nHost: h\r\n\r\n"),
    ("two spaces in the request line", "GET  / HTTP/1.1\r\nHost: h\r\n\r\n"),
    ("a NUL in the path", "GET /a\0bc HTTP/1.1\r\nHost: h\r\n\r\n"),
    ("an escaped NUL in the path", "GET /a%00b HTTP/1.1\r\nHost: h\r\n\r\n"),
    ("a broken escape", "GET /a%zz HTTP/1.1\r\nHost: h\r\n\r\n"),
    ("a path that is not UTF-8", "GET /a%ff HTTP/1.1\r\nHost: h\r\n\r\n"),
    ("an absolute target", "GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n"),
    ("a space in the path", "GET /a b HTTP/1.1\r\nHost: h\r\n\r\n"),
    ("a signed length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +5\r\n\r\nhello"),
    ("a length that is a list", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5, 5\r\n\r\nhello"),
    ("an empty length", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length:\r\n\r\n"),
    ("a length in hexadecimal", "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0x5\r\n\r\nhello"),
    (
      "a chunk size in C's hexadecimal",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\nhello\r\n0\r\n\r\n"
    ),
    (
      "a negative chunk size",
      "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhello\r\n0\r\n\r\n"
    ),
  ]

  @Test(arguments: refused) func `answers 400 and closes, and no handler sees it`(_ name: String, _ probe: String)
    async throws
  {
    let calls = Lock(0)
    try await withServer(handler: { request in
      calls.with { $0 += 1 }
      return await echo(request)
    }) { port, clients in
      let peer = Peer(port, on: clients)
      await peer.send(probe)
      let answer = await peer.answer(within: 30)
      #expect(answer?.status == 400, "\(name)")
      let rest = await peer.rest(within: 30)
      // MHD refuses malformed lengths itself and sends its head twice: there only the end counts.
      let isMHDs = ["a signed length", "a length that is a list", "an empty length", "a length in hexadecimal"]
        .contains(name)
      #expect(
        rest == [] || isMHDs && rest != nil,
        "\(name): the connection stayed open, or more came: \(rest.map { String(decoding: $0, as: UTF8.self) } ?? "nil")"
      )
    }
    if !name.contains("chunk size") { #expect(calls.with { $0 } == 0, "\(name)") }
  }

  @Test func `lets honest variants pass`() async throws {
    let honest = [
      "GET / HTTP/1.1\r\nhost: h\r\n\r\n",
      "GET / HTTP/1.1\r\nHost:h\r\nX:\r\nY:   \r\n\r\n",
      "GET /?a HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET /? HTTP/1.1\r\nHost: h\r\n\r\n",
      "GET /a%20b?c=%D9%82&d=%26 HTTP/1.1\r\nHost: h\r\nCookie: a=b; c=d\r\nX: \u{642}\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nTRANSFER-ENCODING: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n",
      "GET / HTTP/1.1\r\nConnection: keep-alive\r\nHost: h\r\n\r\n",
    ]
    try await withServer { port, clients in
      let peer = Peer(port, on: clients)
      for request in honest {
        await peer.send(request)
        #expect(await peer.answer()?.status == 200, "\(request)")
      }
      await peer.send("GET / HTTP/1.0\r\n\r\n")
      #expect(await peer.answer()?.status == 200)
    }
  }

  /// The last header names at every distance from the pool's end: where MHD's reallocation could grow a name in place.
  @Test func `finds a fold wherever it lies in MHD's memory`() async throws {
    try await withServer { port, clients in
      for padding in stride(from: 0, through: 16_200, by: 97) {
        let peer = Peer(port, on: clients)
        let filler = String(repeating: "p", count: padding)
        await peer.send("POST / HTTP/1.1\r\nHost: h\r\nP: \(filler)\r\nContent: 5\r\n -Length\r\n\r\nhello")
        let status = await peer.answer(within: 30)?.status
        #expect(status == 400 || status == 431, "\(padding) bytes of padding")
      }
      for padding in 8_050...8_200 {
        let peer = Peer(port, on: clients)
        await peer.send(
          "GET / HTTP/1.1\r\nHost: h\r\nP: \(String(repeating: "p", count: padding))\r\nX: a\r\n b\r\n\r\n")
        let status = await peer.answer(within: 30)?.status
        #expect(status == 400 || status == 431, "\(padding) bytes of padding")
      }
    }
  }

  @Test func `finds a probe that follows an honest request`() async throws {
    try await withServer { port, clients in
      for probe in ["GET / HTTP/1.1\r\nHost: h\r\nX: a\r\n b\r\n\r\n", "GET / HTTP/1.1\nHost: h\n\n"] {
        let peer = Peer(port, on: clients)
        await peer.send("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab" + probe)
        #expect(await peer.answer()?.text == "POST / ab")
        #expect(await peer.answer()?.status == 400)
      }
    }
  }

  @Test func `refuses a head that is too large or has too many fields`() async throws {
    try await withServer { port, clients in
      let large = Peer(port, on: clients)
      await large.send("GET / HTTP/1.1\r\nHost: h\r\nX: \(String(repeating: "x", count: 20_000))\r\n\r\n")
      #expect(await large.answer()?.status == 431)
      let longest = Peer(port, on: clients)
      await longest.send("GET / HTTP/1.1\r\nHost: h\r\nX: \(String(repeating: "x", count: 100_000))\r\n\r\n")
      #expect(await longest.answer()?.status == 431)
      let many = Peer(port, on: clients)
      await many.send("GET / HTTP/1.1\r\nHost: h\r\n" + (0..<500).map { "X\($0): y\r\n" }.joined() + "\r\n")
      #expect(await many.answer()?.status == 431)
      let path = Peer(port, on: clients)
      await path.send("GET /\(String(repeating: "x", count: 100_000)) HTTP/1.1\r\nHost: h\r\n\r\n")
      #expect(await path.answer()?.status == 414)
    }
  }

  @Test(arguments: [
    "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\nX: y\r\n\r\n",
    "GET /a?b=c HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
  ]) func `survives every head with one byte changed`(_ head: String) async throws {
    try await withServer({
      $0.headTimeout = .milliseconds(200)
      $0.bodyIdleTimeout = .milliseconds(200)
    }) { port, clients in
      var probes: [[UInt8]] = []
      for position in head.utf8.indices {
        for byte: UInt8 in [0, 9, 10, 13, 32, 58, 255] {
          probes.append(Array(head.utf8))
          probes[probes.count - 1][head.utf8.distance(from: head.startIndex, to: position)] = byte
        }
      }
      // MHD misses an end that arrives together with bytes (edge-triggered epoll, one recv): a deadline ends those, so
      // they wait side by side.
      await withTaskGroup(of: Void.self) { group in
        for probe in probes {
          group.addTask {
            let peer = Peer(port, on: clients)
            _ = await peer.send(probe)
            await peer.finishSending()
            if let answer = await peer.answer(within: 30) { #expect(answer.status < 500, "\(probe)") }
          }
        }
      }
      let peer = Peer(port, on: clients)
      await peer.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n")
      #expect(await peer.answer()?.status == 200, "after \(probes.count) probes")
    }
  }
}
