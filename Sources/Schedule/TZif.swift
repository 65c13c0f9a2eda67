/// The content of a zone file (RFC 9636), version 2 or later: its 64-bit transitions and its footer.
struct TZif: Sendable {
  /// Instants in seconds since 1970, ascending.
  let transitions: [Int64]
  /// The offset in force from the transition of the same index, in seconds to add to UTC.
  let offsets: [Int32]
  /// Before the first transition.
  let initial: Int32
  /// After the last; nil when the file has none.
  let rule: PosixRule?

  struct Malformed: Error {
    let reason: String
  }

  init(_ bytes: [UInt8]) throws(Malformed) {
    var reader = Reader(bytes: bytes)
    let narrow = try Header(&reader)
    guard narrow.version >= UInt8(ascii: "2") else { throw Malformed(reason: "version 1") }
    try reader.skip(narrow.size(ofTime: 4))
    let wide = try Header(&reader)
    guard wide.leaps == 0 else { throw Malformed(reason: "counts leap seconds") }
    guard wide.types > 0, wide.times <= 100_000 else { throw Malformed(reason: "counts") }

    var transitions: [Int64] = []
    for _ in 0..<wide.times { transitions.append(Int64(bitPattern: try reader.integer(8))) }
    for index in transitions.indices.dropFirst() where transitions[index - 1] >= transitions[index] {
      throw Malformed(reason: "transitions out of order")
    }
    let indices = try reader.take(wide.times)
    var types: [Int32] = []
    for _ in 0..<wide.types {
      let offset = Int32(bitPattern: UInt32(truncatingIfNeeded: try reader.integer(4)))
      guard (-93_599...93_599).contains(offset) else { throw Malformed(reason: "offset") }
      types.append(offset)
      try reader.skip(2)
    }
    var offsets: [Int32] = []
    for index in indices {
      guard Int(index) < types.count else { throw Malformed(reason: "type index") }
      offsets.append(types[Int(index)])
    }
    try reader.skip(wide.characters + wide.standards + wide.universals)

    guard try reader.take(1).first == UInt8(ascii: "\n") else { throw Malformed(reason: "footer") }
    let footer = reader.rest.prefix { $0 != UInt8(ascii: "\n") }
    guard footer.endIndex < reader.rest.endIndex else { throw Malformed(reason: "footer") }
    if footer.isEmpty {
      rule = nil
    } else {
      guard let parsed = PosixRule(footer) else { throw Malformed(reason: "footer rule") }
      rule = parsed
    }
    (self.transitions, self.offsets, initial) = (transitions, offsets, types[0])
  }

  private struct Header {
    let version: UInt8
    let universals: Int
    let standards: Int
    let leaps: Int
    let times: Int
    let types: Int
    let characters: Int

    init(_ reader: inout Reader) throws(Malformed) {
      guard try reader.take(4).elementsEqual("TZif".utf8) else { throw Malformed(reason: "not a zone file") }
      guard let version = try reader.take(1).first else { throw Malformed(reason: "too short") }
      self.version = version
      try reader.skip(15)
      universals = Int(try reader.integer(4))
      standards = Int(try reader.integer(4))
      leaps = Int(try reader.integer(4))
      times = Int(try reader.integer(4))
      types = Int(try reader.integer(4))
      characters = Int(try reader.integer(4))
    }

    func size(ofTime bytes: Int) -> Int {
      times * (bytes + 1) + types * 6 + characters + leaps * (bytes + 4) + standards + universals
    }
  }

  private struct Reader {
    var rest: ArraySlice<UInt8>

    init(bytes: [UInt8]) { rest = bytes[...] }

    mutating func take(_ count: Int) throws(Malformed) -> ArraySlice<UInt8> {
      guard count <= rest.count else { throw Malformed(reason: "too short") }
      defer { rest = rest.dropFirst(count) }
      return rest.prefix(count)
    }

    mutating func skip(_ count: Int) throws(Malformed) { _ = try take(count) }

    /// Big-endian.
    mutating func integer(_ count: Int) throws(Malformed) -> UInt64 {
      try take(count).reduce(0) { $0 << 8 | UInt64($1) }
    }
  }
}
