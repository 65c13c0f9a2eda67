import Domain

// Array cells. Null arrays read as nil, multi-dimensional ones as their elements in order; an element that is null
// where the reader has no optional is a bug of the caller.

extension Row {
  public func int64s(_ c: Int) -> [Int64] { present(optionalInt64s(c), c) }
  public func int32s(_ c: Int) -> [Int32] { elements(c, PGType.int4, "int4[]") { Row.integer($0, Int32.self) } }
  public func int16s(_ c: Int) -> [Int16] { elements(c, PGType.int2, "int2[]") { Row.integer($0, Int16.self) } }
  public func bools(_ c: Int) -> [Bool] { elements(c, PGType.bool, "bool[]") { $0[0] != 0 } }
  public func texts(_ c: Int) -> [String] { present(optionalTextsOrNull(c), c).map { present($0, c) } }
  public func optionalTexts(_ c: Int) -> [String?] { present(optionalTextsOrNull(c), c) }
  public func byteas(_ c: Int) -> [[UInt8]] { elements(c, PGType.bytea, "bytea[]") { Array($0) } }
  public func personKeys(_ c: Int) -> [PersonKey] { elements(c, PGType.uuid, "uuid[]") { PersonKey(bytes: $0) } }
  public func dates(_ c: Int) -> [CivilDate] {
    elements(c, PGType.date, "date[]") { PGTime.date(Row.integer($0, Int32.self)) }
  }

  public func instants(_ c: Int) -> [Instant] {
    elements(c, PGType.timestamptz, "timestamptz[]") { PGTime.instant(Row.integer($0, Int64.self)) }
  }

  public func amounts(_ c: Int) -> [Amount] {
    elements(c, PGType.numeric, "numeric[]") { bytes in
      guard let amount = NumericWire.amount(bytes) else {
        preconditionFailure("column \(name(c)) holds a numeric that an Amount does not hold")
      }
      return amount
    }
  }

  /// Nil when the array itself is null.
  public func optionalInt64s(_ c: Int) -> [Int64]? {
    array(c) {
      $0 == PGType.int8
    } wanted: {
      "int8[]"
    } read: {
      Row.integer($0, Int64.self)
    }?.map { present($0, c) }
  }

  /// Nil when the array itself is null.
  func optionalTextsOrNull(_ c: Int) -> [String?]? {
    array(c) {
      Row.isText($0)
    } wanted: {
      "text[]"
    } read: {
      String(decoding: $0, as: UTF8.self)
    }
  }

  private func elements<T>(
    _ c: Int, _ element: UInt32, _ wanted: StaticString, _ read: (UnsafeRawBufferPointer) -> T
  ) -> [T] {
    present(
      array(c) {
        $0 == element
      } wanted: {
        wanted
      } read: {
        read($0)
      }, c
    ).map { present($0, c) }
  }

  private func array<T>(
    _ c: Int, _ accepts: (UInt32) -> Bool, wanted: () -> StaticString, read: (UnsafeRawBufferPointer) -> T
  ) -> [T?]? {
    cell(c) { type, bytes in
      // A type that is no array has no such header; its key differs from every array's, so look at the key first.
      guard Row.isArray(type), bytes.count >= 12 else { mismatch(c, type, wanted()) }
      func word(_ offset: Int) -> Int32 {
        Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Int32.self))
      }
      guard accepts(UInt32(bitPattern: word(8))) else { mismatch(c, type, wanted()) }
      let dimensions = Int(word(0))
      if dimensions == 0 { return [] }
      let count = (0..<dimensions).reduce(1) { $0 * Int(word(12 + 8 * $1)) }
      var items: [T?] = []
      items.reserveCapacity(count)
      var offset = 12 + 8 * dimensions
      for _ in 0..<count {
        let length = Int(word(offset))
        offset += 4
        if length < 0 {
          items.append(nil)
        } else {
          items.append(read(UnsafeRawBufferPointer(rebasing: bytes[offset..<offset + length])))
          offset += length
        }
      }
      return items
    }
  }

  private static func isArray(_ type: UInt32) -> Bool {
    switch type {
    case PGType.bools, PGType.byteas, PGType.int2s, PGType.int4s, PGType.texts, PGType.varchars, PGType.int8s,
      PGType.dates,
      PGType.timestamptzs, PGType.numerics, PGType.uuids, PGType.jsonbs, PGType.names:
      true
    default: type >= PGType.firstCreated
    }
  }
}
