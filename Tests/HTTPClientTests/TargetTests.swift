import HTTPClient
import Reactor
import Testing

@Suite struct `An address that users name` {
  @Test func `is private however it is written`() throws {
    for text in [
      "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
      "100.64.0.1", "100.127.255.255", "192.0.0.8", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1",
      "fe80::1", "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1",
      "64:ff9b::10.0.0.1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2001:db8::1", "2001::1", "fec0::1",
    ] {
      #expect(try !#require(NetworkAddress(text)).isPublic, "\(text)")
    }
    for text in [
      "8.8.8.8", "172.15.255.255", "172.32.0.1", "100.63.0.1", "100.128.0.1", "169.253.0.1", "192.169.0.1", "2606:4700::1111",
      "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2a00:1450:4001::2",
    ] {
      #expect(try #require(NetworkAddress(text)).isPublic, "\(text)")
    }
  }

  @Test func `may be called in the clear, or privately, only where a network is named`() throws {
    func address(_ text: String) throws -> NetworkAddress { try #require(NetworkAddress(text)) }
    let rule = TargetRule(allowed: [try #require(Network("10.1.2.0/24")), try #require(Network("fd00::/8"))])
    #expect(rule.allows(try address("10.1.2.77"), isEncrypted: false))
    #expect(rule.allows(try address("::ffff:10.1.2.77"), isEncrypted: false))
    #expect(rule.allows(try address("fd12::1"), isEncrypted: true))
    #expect(!rule.allows(try address("10.1.3.1"), isEncrypted: true))
    #expect(!rule.allows(try address("169.254.169.254"), isEncrypted: true))
    #expect(rule.allows(try address("8.8.8.8"), isEncrypted: true))
    #expect(!rule.allows(try address("8.8.8.8"), isEncrypted: false))
    for text in ["10.0.0.0/33", "10.0.0", "fd00::/129", "", "/8", "10.0.0.0/8/8", "host"] { #expect(Network(text) == nil) }
    #expect(try #require(Network("0.0.0.0/0")).contains(address("8.8.8.8")))
  }

  @Test func `is looked at before each connection, after its name was resolved`() async throws {
    var settings = HTTPClientSettings()
    settings.targets = TargetRule()
    await withServer(settings: settings, { _ in .answer() }) { server, client in
      // Spellings and names that a look at the text would have to know.
      for host in ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "0"] {
        let result = await client.send(HTTPRequest("POST", "http://\(host):\(server.port)/", body: [1]))
        #expect(result.failure == .neverWritten(reason: "address"), "\(host): \(result)")
      }
      #expect(server.acceptedConnections == 0)
    }
    settings.targets = TargetRule(allowed: [try #require(Network("127.0.0.1"))])
    await withServer(settings: settings, { _ in .answer() }) { server, client in
      #expect(await client.send(HTTPRequest("POST", server.url, body: [1])).answer?.status == 200)
    }
  }

  @Test func `is probed without a byte of a request`() async {
    await withServer({ _ in .answer() }) { server, client in
      var request = HTTPRequest("GET", server.url)
      request.isProbe = true
      #expect(await client.send(request).failure == .neverWritten(reason: "probed"))
      #expect(server.acceptedConnections == 1 && server.requests.isEmpty)
      request.isProbe = false
      #expect(await client.send(request).answer?.status == 200)
    }
  }
}
