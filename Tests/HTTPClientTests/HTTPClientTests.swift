import CLinux
import Domain
import HTTPClient
import Reactor
import Testing

/// A reactor with a server and a client on it, stopped when the body ends.
func withServer<R>(
  settings: HTTPClientSettings = .init(),
  welcome: @escaping @Sendable (Int) -> ScriptedServer.Welcome = { _ in .read },
  _ script: @escaping @Sendable (ScriptedServer.Request) -> ScriptedServer.Act,
  _ body: (ScriptedServer, HTTPClient) async throws -> R
) async rethrows -> R {
  let reactor = Reactor(name: "http")
  reactor.start()
  let server = ScriptedServer(reactor, welcome: welcome, script: script)
  let client = HTTPClient(on: reactor, settings: settings)
  let result = try await body(server, client)
  client.close()
  await server.close()
  reactor.stop()
  return result
}

extension Result<HTTPAnswer, HTTPFailure> {
  var answer: HTTPAnswer? { if case .success(let answer) = self { answer } else { nil } }
  var failure: HTTPFailure? { if case .failure(let failure) = self { failure } else { nil } }
}

@Suite struct `An HTTP client` {
  @Test func `brings the answer's status, kept headers and body`() async throws {
    let answer = try await withServer({ request in
      .answer(
        429, headers: [("Content-Type", "application/json"), ("X-Other", "1"), ("Retry-After", " 7 ")],
        body: String(decoding: request.body, as: UTF8.self))
    }) { server, client in
      let request = HTTPRequest(
        "POST", server.url + "/v1/x?y=1", headers: [("Authorization", "Bearer a")], body: Array("{}".utf8))
      let result = await client.send(request)
      let seen = try #require(server.requests.first)
      #expect(seen.method == "POST" && seen.path == "/v1/x?y=1")
      let names = Set(seen.head.split(separator: "\r\n").dropFirst().map { $0.split(separator: ":")[0].lowercased() })
      #expect(names == ["host", "user-agent", "accept", "authorization", "content-length"])
      return try result.get()
    }
    #expect(answer.status == 429)
    #expect(answer.headers.map { $0.0 } == ["content-type", "retry-after"])
    #expect(answer.header("retry-after") == "7")
    #expect(answer.body == Array("{}".utf8))
  }

  @Test func `collects every header when asked, and none of an interim answer`() async {
    let raw =
      "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nX-Other: 1\r\nEmpty:\r\nContent-Length: 0\r\n\r\n"
    await withServer({ _ in .raw(raw) }) { server, client in
      var request = HTTPRequest("GET", server.url)
      request.collectsAllHeaders = true
      let answer = await client.send(request).answer
      #expect(answer?.headers.map { $0.0 } == ["x-other", "empty", "content-length"])
    }
  }

  @Test func `uses one handle for different methods without carrying over a body`() async {
    await withServer({ _ in .answer() }) { server, client in
      for (method, body) in [("POST", "a=1"), ("GET", ""), ("DELETE", ""), ("PUT", "b"), ("POST", ""), ("PATCH", "c")] {
        let request = HTTPRequest(method, server.url, body: Array(body.utf8))
        #expect(await client.send(request).answer?.status == 200)
        #expect(server.requests.last?.method == method)
        #expect(server.requests.last?.body == Array(body.utf8))
      }
      #expect(server.acceptedConnections == 1)
    }
  }

  @Test func `answers a thousand requests over few kept-alive connections`() async {
    await withServer({ request in .answer(body: String(decoding: request.body, as: UTF8.self)) }) { server, client in
      await withTaskGroup(of: Bool.self) { group in
        for worker in 0..<10 {
          group.addTask {
            for turn in 0..<100 {
              let body = Array("\(worker):\(turn)".utf8)
              guard await client.send(HTTPRequest("POST", server.url, body: body)).answer?.body == body else {
                return false
              }
            }
            return true
          }
        }
        for await isRight in group { #expect(isRight) }
      }
      #expect(server.requests.count == 1000)
      #expect(server.acceptedConnections <= 10)
      #expect(client.inFlight == 0)
    }
  }

  @Test func `does not follow a redirect`() async {
    await withServer({ _ in .answer(302, headers: [("Location", "/elsewhere")]) }) { server, client in
      #expect(await client.send(HTTPRequest("GET", server.url)).answer?.status == 302)
      #expect(server.requests.count == 1)
    }
  }

  @Test func `is usable from the reactor's thread with completions in any order`() async {
    await withServer({ request in
      request.path == "/slow" ? .later(.milliseconds(30), "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") : .answer()
    }) { server, client in
      let order = Lock([String]())
      await withCheckedContinuation { (done: CheckedContinuation<Void, Never>) in
        client.reactor.submit {
          for path in ["/slow", "/fast"] {
            client.send(HTTPRequest("GET", server.url + path)) { _ in
              if order.with({
                $0.append(path)
                return $0.count
              }) == 2 {
                done.resume()
              }
            }
          }
        }
      }
      #expect(order.with { $0 } == ["/fast", "/slow"])
    }
  }
}

@Suite struct `A request that fails` {
  @Test func `was never written when nobody listens`() async {
    await withServer({ _ in .answer() }) { _, client in
      let request = HTTPRequest("POST", "http://127.0.0.1:\(ScriptedServer.closedPort())/", body: [1])
      #expect(await client.send(request).failure == .neverWritten(reason: "refused"))
    }
  }

  @Test func `was never written when its name does not resolve`() async {
    await withServer({ _ in .answer() }) { _, client in
      let request = HTTPRequest("GET", "http://nobody.invalid/")
      #expect(await client.send(request).failure == .neverWritten(reason: "dns"))
    }
  }

  @Test(arguments: ["ftp://127.0.0.1/", "http://", "", "http://127.0.0.1/a b", "file:///etc/passwd"])
  func `was never written when its URL is no HTTP URL`(url: String) async {
    await withServer({ _ in .answer() }) { _, client in
      let failure = await client.send(HTTPRequest("GET", url)).failure
      #expect(failure == .neverWritten(reason: "malformed"))
    }
  }

  @Test(arguments: [("A\r\nB", "c"), ("A", "b\r\nC: d"), ("", "x"), ("A b", "c"), ("A", "b\u{0}c")])
  func `was never written when a header would break its line`(name: String, value: String) async {
    await withServer({ _ in .answer() }) { server, client in
      let failure = await client.send(HTTPRequest("GET", server.url, headers: [(name, value)])).failure
      #expect(failure == .neverWritten(reason: "malformed"))
      #expect(server.requests.isEmpty)
    }
  }

  @Test func `is unanswered when the server accepts and closes before reading`() async {
    await withServer(welcome: { _ in .close }, { _ in .answer() }) { server, client in
      let failure = await client.send(HTTPRequest("POST", server.url, body: [1, 2, 3])).failure
      #expect(failure == .unanswered(reason: "closed"))
      #expect(server.acceptedConnections == 1)
    }
  }

  @Test func `is unanswered when the server closes after reading the first request`() async {
    await withServer({ _ in .close }) { server, client in
      let failure = await client.send(HTTPRequest("POST", server.url, body: Array("once".utf8))).failure
      #expect(failure == .unanswered(reason: "closed"))
      #expect(server.requests.count == 1)
    }
  }

  /// libcurl alone would open a second connection here and send the body again.
  @Test(arguments: [2, 3, 7])
  func `reaches the server once when a kept-alive connection dies after it`(place: Int) async {
    await withServer({ $0.place == place && $0.connection == 1 ? .close : .answer() }) { server, client in
      for turn in 1..<place {
        #expect(
          await client.send(HTTPRequest("POST", server.url, body: Array("body \(turn)".utf8))).answer?.status == 200)
      }
      let failure = await client.send(HTTPRequest("POST", server.url, body: Array("the one".utf8))).failure
      #expect(failure == .unanswered(reason: "closed"))
      // The next request proves that nothing of the one before was still to come.
      #expect(await client.send(HTTPRequest("POST", server.url, body: Array("next".utf8))).answer?.status == 200)
      #expect(server.requests.count { $0.body == Array("the one".utf8) } == 1)
      #expect(server.requests.count == place + 1)
    }
  }

  @Test(arguments: [
    ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "closed"), ("HTTP/1.1 200 OK\r\nContent-Le", "closed"),
    ("HTTP/1.1 200 OK\r\n", "closed"), ("SSH-2.0-OpenSSH_9.2p1\r\n\r\n", "garbled"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", "closed"),
  ])
  func `is unanswered when the answer breaks off or is no HTTP`(raw: String, reason: String) async {
    let answered = Lock(false)
    await withServer({ _ in
      answered.with { $0 = true }
      return .raw(raw)
    }) { server, client in
      let pending = Task { await client.send(HTTPRequest("GET", server.url)) }
      while !answered.with({ $0 }) { await Task.yield() }
      // The broken text is out; now the server ends the connection.
      await server.close()
      #expect(await pending.value.failure == .unanswered(reason: reason))
    }
  }

  @Test func `is unanswered when the answer is longer than allowed`() async {
    let settings = HTTPClientSettings(maxAnswerBytes: 1000)
    await withServer(settings: settings, { _ in .answer(body: String(repeating: "x", count: 1001)) }) {
      server, client in
      #expect(await client.send(HTTPRequest("GET", server.url)).failure == .unanswered(reason: "too_large"))
    }
    await withServer(settings: settings, { _ in .answer(body: String(repeating: "x", count: 1000)) }) {
      server, client in
      #expect(await client.send(HTTPRequest("GET", server.url)).answer?.body.count == 1000)
    }
  }

  @Test func `is unanswered when the answer's headers never end`() async {
    let line = "X-Filler: " + String(repeating: "x", count: 1000) + "\r\n"
    let raw = "HTTP/1.1 200 OK\r\n" + String(repeating: line, count: 70)
    await withServer({ _ in .raw(raw) }) { server, client in
      #expect(await client.send(HTTPRequest("GET", server.url)).failure == .unanswered(reason: "too_large"))
    }
  }

  @Test func `is unanswered after its deadline when the server hangs`() async {
    await withServer({ _ in .hang }) { server, client in
      let started = BootInstant.now
      let failure = await client.send(HTTPRequest("POST", server.url, body: [1], timeout: .milliseconds(60))).failure
      #expect(failure == .unanswered(reason: "timeout"))
      #expect(BootInstant.now - started >= .milliseconds(60))
      #expect(client.inFlight == 0)
    }
  }

  @Test func `is unanswered after its deadline when the answer drips`() async {
    let act = ScriptedServer.Act.drip("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", every: .milliseconds(20))
    await withServer({ _ in act }) { server, client in
      let failure = await client.send(HTTPRequest("GET", server.url, timeout: .milliseconds(100))).failure
      #expect(failure == .unanswered(reason: "timeout"))
    }
  }

  @Test func `was never written when its time to be written has passed`() async {
    await withServer({ _ in .answer() }) { server, client in
      let late = HTTPRequest("POST", server.url, body: [1], writeBy: .now - .milliseconds(1))
      #expect(await client.send(late).failure == .neverWritten(reason: "late"))
      let early = HTTPRequest("POST", server.url, body: [1], writeBy: .now + .seconds(60))
      #expect(await client.send(early).answer?.status == 200)
      #expect(server.requests.count == 1)
    }
  }

  /// The reactor's thread is held up between `send` and the connection's readiness, as by a stopped process.
  @Test func `was never written when the process was frozen while it connected`() async {
    await withServer({ _ in .answer() }) { server, client in
      let failure = await withCheckedContinuation { (done: CheckedContinuation<HTTPFailure?, Never>) in
        client.reactor.submit {
          client.send(HTTPRequest("POST", server.url, body: [1], writeBy: .now + .milliseconds(20))) {
            done.resume(returning: $0.failure)
          }
          let thawed = BootInstant.now + .milliseconds(40)
          while BootInstant.now < thawed {}
        }
      }
      #expect(failure == .neverWritten(reason: "late"))
      #expect(server.requests.isEmpty)
    }
  }

  @Test func `is unanswered when cancelled after it was written`() async {
    let arrived = Lock(false)
    await withServer({ _ in
      arrived.with { $0 = true }
      return .hang
    }) { server, client in
      let task = Task { await client.send(HTTPRequest("POST", server.url, body: [1])) }
      while !arrived.with({ $0 }) { await Task.yield() }
      task.cancel()
      #expect(await task.value.failure == .unanswered(reason: "cancelled"))
      #expect(client.inFlight == 0)
    }
  }

  @Test func `was never written when cancelled before it began`() async {
    await withServer({ _ in .answer() }) { server, client in
      let task = Task {
        while !Task.isCancelled { await Task.yield() }
        return await client.send(HTTPRequest("POST", server.url, body: [1]))
      }
      task.cancel()
      #expect(await task.value.failure == .neverWritten(reason: "cancelled"))
      #expect(server.requests.isEmpty)
    }
  }

  @Test func `was never written when too many are under way`() async {
    await withServer(settings: HTTPClientSettings(maxConnections: 1), { _ in .hang }) { server, client in
      let first = Task { await client.send(HTTPRequest("GET", server.url)) }
      while client.inFlight == 0 { await Task.yield() }
      #expect(await client.send(HTTPRequest("GET", server.url)).failure == .neverWritten(reason: "busy"))
      first.cancel()
      #expect(await first.value.failure?.reason == "cancelled")
    }
  }

  @Test func `is told so when the client closes under it, and later ones are refused`() async {
    let arrived = Lock(false)
    await withServer({ _ in
      arrived.with { $0 = true }
      return .hang
    }) { server, client in
      let task = Task { await client.send(HTTPRequest("POST", server.url, body: [1])) }
      while !arrived.with({ $0 }) { await Task.yield() }
      client.close()
      #expect(await task.value.failure == .unanswered(reason: "cancelled"))
      #expect(await client.send(HTTPRequest("GET", server.url)).failure == .neverWritten(reason: "closed"))
    }
  }
}
