import Crypto
import Domain
import Testing

private func hex(_ text: String) -> [UInt8] { Crypto.bytes(hex: text.filter { !$0.isWhitespace })! }
private func text(_ string: String) -> [UInt8] { Array(string.utf8) }

@Suite struct `A hash` {
  @Test func `is SHA-256 as FIPS 180 says`() {
    #expect(
      Crypto.hex(Crypto.sha256(text("abc"))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
    #expect(Crypto.hex(Crypto.sha256([])) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
  }

  @Test func `is the same when the bytes pass by in pieces`() {
    let hash = RunningHash()
    for piece in ["", "a", "bc", ""] { hash.update(text(piece)) }
    #expect(hash.finish() == Crypto.sha256(text("abc")))
    #expect(RunningHash().finish() == Crypto.sha256([]))
  }

  /// RFC 4231, section 4: cases 1 to 4, 6 and 7 (5 is about truncation), and the empty key and message.
  static let vectors: [(key: [UInt8], message: [UInt8], mac: String)] = [
    (
      [UInt8](repeating: 0x0b, count: 20), text("Hi There"),
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    ),
    (
      text("Jefe"), text("what do ya want for nothing?"),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    ),
    (
      [UInt8](repeating: 0xaa, count: 20), [UInt8](repeating: 0xdd, count: 50),
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
    ),
    (
      Array(1...25), [UInt8](repeating: 0xcd, count: 50),
      "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
    ),
    (
      [UInt8](repeating: 0xaa, count: 131), text("Test Using Larger Than Block-Size Key - Hash Key First"),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    ),
    (
      [UInt8](repeating: 0xaa, count: 131),
      text(
        "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
          + "hashed before being used by the HMAC algorithm."),
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
    ),
    ([], [], "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"),
  ]

  @Test(arguments: vectors.indices) func `is HMAC-SHA256 as RFC 4231 says`(_ index: Int) {
    let (key, message, mac) = Self.vectors[index]
    #expect(Crypto.hex(Crypto.hmacSHA256(key: key, message)) == mac)
    let prepared = MACKey(key)
    for _ in 0..<3 { #expect(Crypto.hex(prepared.hmacSHA256(message)) == mac) }
  }

  @Test func `comes out the same from many threads at once`() async {
    let key = MACKey(text("Jefe"))
    let expected = (0..<200).map { Crypto.hmacSHA256(key: text("Jefe"), text("\($0)")) }
    let actual = await withTaskGroup(of: (Int, [UInt8]).self) { group in
      for index in 0..<200 { group.addTask { (index, key.hmacSHA256(text("\(index)"))) } }
      return await group.reduce(into: [Int: [UInt8]]()) { $0[$1.0] = $1.1 }
    }
    for index in 0..<200 { #expect(actual[index] == expected[index]) }
  }
}

@Suite struct `A person key` {
  @Test func `is the first half of the HMAC of the E.164 text`() {
    let pepper = [UInt8](repeating: 7, count: 32)
    let keys = PersonKeys(pepper: pepper)
    for number in ["+201001234567", "+1234567", "+999999999999999"] {
      let expected = PersonKey(bytes: Crypto.hmacSHA256(key: pepper, text(number)))
      #expect(keys.key(of: PhoneNumber(e164: number)!) == expected)
    }
  }

  @Test func `differs under another pepper`() {
    let phone = PhoneNumber(e164: "+201001234567")!
    let a = PersonKeys(pepper: [UInt8](repeating: 1, count: 32))
    let b = PersonKeys(pepper: [UInt8](repeating: 2, count: 32))
    #expect(a.key(of: phone) != b.key(of: phone))
  }
}

@Suite struct `A seal key` {
  let key = SealKey(secret: "correct horse battery staple and more")!

  @Test(arguments: [0, 1, 15, 16, 17, 1000]) func `opens what it sealed`(_ count: Int) {
    let plain = Crypto.randomBytes(count)
    let sealed = key.seal(plain, context: "token:1")
    #expect(sealed.count == count + 29)
    #expect(key.open(sealed, context: "token:1") == plain)
    #expect(key.seal(plain, context: "token:1") != sealed)
  }

  @Test func `refuses every changed bit, every cut and another context or key`() {
    let sealed = key.seal(text("EAAG secret"), context: "token:1")
    for bit in 0..<(sealed.count * 8) {
      var changed = sealed
      changed[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(key.open(changed, context: "token:1") == nil)
    }
    for length in 0..<sealed.count { #expect(key.open(Array(sealed.prefix(length)), context: "token:1") == nil) }
    #expect(key.open(sealed + [0], context: "token:1") == nil)
    #expect(key.open(sealed, context: "token:2") == nil)
    #expect(SealKey(secret: "correct horse battery staple and less")!.open(sealed, context: "token:1") == nil)
  }

  @Test func `needs 32 characters, or 64 hexadecimal digits`() {
    #expect(SealKey(secret: "short") == nil)
    #expect(SealKey(secret: String(repeating: "x", count: 31)) == nil)
    #expect(SealKey(secret: String(repeating: "x", count: 32)) != nil)
    let digits = String(repeating: "0aF9", count: 16)
    let sealed = SealKey(secret: digits)!.seal([1], context: "")
    #expect(SealKey(secret: digits.lowercased())!.open(sealed, context: "") == [1])
  }

  /// Sealed by another implementation (Python's `cryptography`, which sits on its own copy of OpenSSL).
  @Test func `opens a value sealed elsewhere in the documented format`() {
    let key = SealKey(secret: String(repeating: "00", count: 32))!
    let sealed = hex(
      "01 070707070707070707070707 1cabcbae1b55205688dc1e38 f57d172c5b2782941d8494244a95be37")
    #expect(key.open(sealed, context: "token:1") == text("access token"))
  }

  @Test func `shows nothing of itself`() {
    let holder = Holder(
      seal: SealKey(secret: String(repeating: "41", count: 32))!, mac: MACKey([0x41]),
      persons: PersonKeys(pepper: [UInt8](repeating: 0x41, count: 32)))
    var shown = "\(holder) \(String(reflecting: holder)) \(holder.seal) \(holder.mac) \(holder.persons)"
    dump(holder, to: &shown)
    #expect(shown.contains("SealKey(…)"))
    #expect(!shown.contains("65") && !shown.contains("41"))
  }
}

/// Not local to the test: a local type is printed with an address, in which any digits may stand.
struct Holder { let seal: SealKey, mac: MACKey, persons: PersonKeys }

@Suite struct `Random bytes` {
  @Test func `have the length asked for and do not repeat`() {
    #expect(Crypto.randomBytes(0) == [])
    #expect(Crypto.randomBytes(32).count == 32)
    #expect(Crypto.randomBytes(32) != Crypto.randomBytes(32))
  }
}

@Suite struct `A comparison` {
  @Test func `sees length and content`() {
    #expect(Crypto.equal([], []))
    #expect(Crypto.equal([1, 2], [1, 2]))
    #expect(!Crypto.equal([1, 2], [1, 3]))
    #expect(!Crypto.equal([1, 2], [1, 2, 0]))
  }
}

@Suite struct `Bytes as text` {
  /// RFC 4648, section 10.
  @Test func `follow RFC 4648`() {
    let base64 = ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"]
    let base32 = ["", "my", "mzxq", "mzxw6", "mzxw6yq", "mzxw6ytb", "mzxw6ytboi"]
    for length in 0...6 {
      let bytes = Array("foobar".utf8.prefix(length))
      #expect(Crypto.base64(bytes) == base64[length])
      #expect(Crypto.bytes(base64: base64[length]) == bytes)
      #expect(Crypto.base32(bytes) == base32[length])
    }
  }

  @Test func `come back from every encoding`() {
    for length in 0..<70 {
      let bytes = Crypto.randomBytes(length)
      #expect(Crypto.bytes(hex: Crypto.hex(bytes)) == bytes)
      #expect(Crypto.bytes(base64: Crypto.base64(bytes)) == bytes)
    }
  }

  @Test(arguments: ["Zg", "Zg=", "Zh==", "Z===", "====", "Zg==Zg==", "Zm9v\n", "Zm-v", "Zm9=", "=Zm9"])
  func `refuse base64 that is not exactly so`(_ text: String) { #expect(Crypto.bytes(base64: text) == nil) }

  @Test func `refuse hexadecimal that is not`() {
    #expect(Crypto.bytes(hex: "0") == nil)
    #expect(Crypto.bytes(hex: "0g") == nil)
    #expect(Crypto.bytes(hex: "٠٠") == nil)
    #expect(Crypto.bytes(hex: "AbCd") == [0xAB, 0xCD])
  }
}
