import Population

/// A list that grows in pieces, so that growing past a million never copies what is there.
struct Chunked<Element> {
  private static var size: Int { 8192 }
  private var chunks: [[Element]] = []
  private(set) var count = 0

  mutating func append(_ element: Element) {
    if count % Chunked.size == 0 {
      chunks.append([])
      chunks[chunks.count - 1].reserveCapacity(Chunked.size)
    }
    chunks[chunks.count - 1].append(element)
    count += 1
  }

  subscript(_ index: Int) -> Element {
    get { chunks[index / Chunked.size][index % Chunked.size] }
    _modify { yield &chunks[index / Chunked.size][index % Chunked.size] }
  }
}

/// A dictionary in 256 parts: each grows by itself, so that no single growth holds everybody up.
struct Sharded<Value> {
  private var shards = [[Int64: Value]](repeating: [:], count: 256)

  private static func shard(_ key: Int64) -> Int { Int(truncatingIfNeeded: Draw.mix(UInt64(bitPattern: key)) >> 56) }

  subscript(_ key: Int64, default fallback: @autoclosure () -> Value) -> Value {
    get { shards[Sharded.shard(key)][key] ?? fallback() }
    _modify { yield &shards[Sharded.shard(key)][key, default: fallback()] }
  }
  subscript(_ key: Int64) -> Value? { shards[Sharded.shard(key)][key] }
  var count: Int { shards.reduce(0) { $0 + $1.count } }
  func forEach(_ body: (Int64, Value) -> Void) {
    for shard in shards { for (key, value) in shard { body(key, value) } }
  }
}

/// Remembers 64-bit fingerprints. Two different things look the same about once in 40 million runs of a million each.
struct Fingerprints {
  private var shards = [Set<UInt64>](repeating: [], count: 256)
  /// True the first time.
  mutating func insert(_ fingerprint: UInt64) -> Bool {
    let mixed = Draw.mix(fingerprint)
    return shards[Int(truncatingIfNeeded: mixed >> 56)].insert(mixed).inserted
  }
}

/// The instants of the last second and the most there ever were in one.
struct SlidingSecond {
  private var ring = [Int64](repeating: 0, count: 128)
  private var first = 0
  private(set) var count = 0
  private(set) var highest = 0

  /// How many lie in (now - 1 s, now].
  mutating func count(at now: Int64) -> Int {
    while count > 0, ring[first] <= now - 1_000_000_000 {
      first = (first + 1) % ring.count
      count -= 1
    }
    return count
  }

  mutating func note(_ now: Int64) {
    _ = count(at: now)
    if count == ring.count {
      let ordered = (0..<count).map { ring[(first + $0) % ring.count] }
      ring = ordered + [Int64](repeating: 0, count: count)
      first = 0
    }
    ring[(first + count) % ring.count] = now
    count += 1
    highest = max(highest, count)
  }
}
