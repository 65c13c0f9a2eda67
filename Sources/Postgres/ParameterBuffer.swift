import Domain

/// The parameters of one statement in the form libpq takes them, encoded into one contiguous buffer that is used
/// again for the next statement.
struct ParameterBuffer {
  // The first byte is never a parameter's: an empty text at the very start must not have a null address, which libpq
  // reads as SQL null.
  private var bytes: [UInt8] = [0]
  private var offsets: [Int] = []
  private var lengths: [Int32] = []
  private var formats: [Int32] = []
  private var pointers: [UnsafePointer<CChar>?] = []

  /// A buffer that one large statement blew up is given back.
  private static let kept = 1 << 20

  mutating func encode(_ values: [Value]) {
    if bytes.capacity > ParameterBuffer.kept { bytes = [0] } else { bytes.removeSubrange(1...) }
    offsets.removeAll(keepingCapacity: true)
    lengths.removeAll(keepingCapacity: true)
    for value in values {
      let start = bytes.count
      if case .null = value {
        offsets.append(-1)
        lengths.append(0)
      } else {
        append(value)
        offsets.append(start)
        precondition(bytes.count - start <= 1 << 30, "a parameter is larger than PostgreSQL's limit of 1 GiB")
        lengths.append(Int32(bytes.count - start))
      }
    }
    while formats.count < values.count { formats.append(1) }
  }

  /// Lends the three arrays of `PQsendQueryPrepared`: values, lengths, formats.
  mutating func withPointers<R>(
    _ body: (UnsafePointer<UnsafePointer<CChar>?>, UnsafePointer<Int32>, UnsafePointer<Int32>) -> R
  ) -> R {
    pointers.removeAll(keepingCapacity: true)
    return bytes.withUnsafeBytes { raw in
      for offset in offsets {
        pointers.append(offset < 0 ? nil : (raw.baseAddress! + offset).assumingMemoryBound(to: CChar.self))
      }
      return pointers.withUnsafeBufferPointer { values in
        lengths.withUnsafeBufferPointer { lengths in
          formats.withUnsafeBufferPointer { formats in
            // Without parameters the addresses are not looked at, but the closure's types want some.
            withUnsafePointer(to: UnsafePointer<CChar>?.none) { none in
              withUnsafePointer(to: Int32(0)) { zero in
                body(values.baseAddress ?? none, lengths.baseAddress ?? zero, formats.baseAddress ?? zero)
              }
            }
          }
        }
      }
    }
  }

  private mutating func append(_ value: Value) {
    switch value {
    case .null: break
    case .int8(let v): integer(v)
    case .int4(let v): integer(v)
    case .int2(let v): integer(v)
    case .bool(let v): bytes.append(v ? 1 : 0)
    case .text(let v): bytes.append(contentsOf: v.utf8)
    case .bytea(let v): bytes.append(contentsOf: v)
    case .uuid(let v): uuid(v)
    case .timestamptz(let v): integer(PGTime.wire(v))
    case .date(let v): integer(PGTime.wire(v))
    case .numeric(let v): NumericWire.append(v, to: &bytes)
    case .jsonb(let v): json(v)
    case .int8s(let v): integers(v, PGType.int8) { $0 }
    case .int4s(let v): integers(v, PGType.int4) { $0 }
    case .int2s(let v): integers(v, PGType.int2) { $0 }
    case .bools(let v): integers(v, PGType.bool) { $0 ? UInt8(1) : 0 }
    case .timestamps(let v): integers(v, PGType.timestamptz) { PGTime.wire($0) }
    case .dates(let v): integers(v, PGType.date) { PGTime.wire($0) }
    case .optionalInt8s(let v): optionals(v, PGType.int8, 8) { $0.integer($1) }
    case .optionalInt4s(let v): optionals(v, PGType.int4, 4) { $0.integer($1) }
    case .optionalInt2s(let v): optionals(v, PGType.int2, 2) { $0.integer($1) }
    case .optionalDates(let v): optionals(v, PGType.date, 4) { $0.integer(PGTime.wire($1)) }
    case .optionalTimestamps(let v): optionals(v, PGType.timestamptz, 8) { $0.integer(PGTime.wire($1)) }
    case .optionalTexts(let v): optionals(v, PGType.text, 24) { $0.bytes.append(contentsOf: $1.utf8) }
    case .optionalUUIDs(let v): optionals(v, PGType.uuid, 16) { $0.uuid($1) }
    case .optionalNumerics(let v): optionals(v, PGType.numeric, 16) { NumericWire.append($1, to: &$0.bytes) }
    case .texts(let v): elements(v, PGType.text, 24) { $0.bytes.append(contentsOf: $1.utf8) }
    case .byteas(let v): elements(v, PGType.bytea, 24) { $0.bytes.append(contentsOf: $1) }
    case .uuids(let v): elements(v, PGType.uuid, 16) { $0.uuid($1) }
    case .numerics(let v): elements(v, PGType.numeric, 16) { NumericWire.append($1, to: &$0.bytes) }
    case .jsonbs(let v): elements(v, PGType.jsonb, 64) { $0.json($1) }
    case .textMatrix(let rows): matrix(rows)
    }
  }

  private mutating func integer<I: FixedWidthInteger>(_ value: I) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }

  private mutating func uuid(_ key: PersonKey) {
    integer(key.high)
    integer(key.low)
  }

  private mutating func json(_ text: [UInt8]) {
    // The version of jsonb's binary form.
    bytes.append(1)
    bytes.append(contentsOf: text)
  }

  // MARK: Arrays: dimensions, has-nulls, element type, then per dimension its count and lower bound.

  private mutating func header(_ counts: [Int], _ element: UInt32, hasNulls: Bool) {
    let isEmpty = counts.contains(0)
    integer(Int32(isEmpty ? 0 : counts.count))
    integer(Int32(hasNulls ? 1 : 0))
    integer(element)
    guard !isEmpty else { return }
    for count in counts {
      integer(Int32(count))
      integer(Int32(1))
    }
  }

  /// Elements of one width: the room is made once and written through raw stores, which is what 500-row batches live
  /// on.
  private mutating func integers<T, I: FixedWidthInteger>(_ items: [T], _ element: UInt32, _ wire: (T) -> I) {
    header([items.count], element, hasNulls: false)
    let width = MemoryLayout<I>.size
    let start = bytes.count
    bytes.append(contentsOf: repeatElement(0, count: items.count * (4 + width)))
    bytes.withUnsafeMutableBytes { raw in
      var offset = start
      for item in items {
        raw.storeBytes(of: Int32(truncatingIfNeeded: width).bigEndian, toByteOffset: offset, as: Int32.self)
        raw.storeBytes(of: wire(item).bigEndian, toByteOffset: offset + 4, as: I.self)
        offset += 4 + width
      }
    }
  }

  private mutating func elements<T>(
    _ items: [T], _ element: UInt32, _ room: Int, _ write: (inout ParameterBuffer, T) -> Void
  ) {
    header([items.count], element, hasNulls: false)
    reserve(items.count * (4 + room))
    for item in items { sized { write(&$0, item) } }
  }

  private mutating func optionals<T>(
    _ items: [T?], _ element: UInt32, _ room: Int, _ write: (inout ParameterBuffer, T) -> Void
  ) {
    header([items.count], element, hasNulls: items.contains { $0 == nil })
    reserve(items.count * (4 + room))
    for item in items {
      if let item { sized { write(&$0, item) } } else { integer(Int32(-1)) }
    }
  }

  private mutating func matrix(_ rows: [[String?]]) {
    let width = rows.first?.count ?? 0
    precondition(rows.allSatisfy { $0.count == width }, "a text[][] needs rows of one length")
    header([rows.count, width], PGType.text, hasNulls: rows.contains { $0.contains(nil) })
    for cell in rows.joined() {
      if let cell { sized { $0.bytes.append(contentsOf: cell.utf8) } } else { integer(Int32(-1)) }
    }
  }

  private mutating func reserve(_ more: Int) {
    // Array doubles by itself; asking for an exact capacity each time would copy each time.
    if bytes.capacity - bytes.count < more { bytes.reserveCapacity(max(bytes.capacity * 2, bytes.count + more)) }
  }

  /// Writes an element behind its length, which is known afterwards.
  private mutating func sized(_ write: (inout ParameterBuffer) -> Void) {
    let start = bytes.count
    integer(Int32(0))
    write(&self)
    let length = Int32(bytes.count - start - 4)
    bytes.withUnsafeMutableBytes { $0.storeBytes(of: length.bigEndian, toByteOffset: start, as: Int32.self) }
  }
}
