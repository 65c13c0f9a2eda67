import Domain

/// Rows in the binary format of COPY (PostgreSQL manual, COPY, "Binary Format"): no escaping, no parsing on the server.
struct CopyBuffer {
  private(set) var bytes: [UInt8] = []
  private(set) var rows = 0
  private let columns: Int16

  init(columns: Int16) { self.columns = columns }

  var isEmpty: Bool { rows == 0 }

  /// The whole file for one COPY; empties the buffer and keeps its memory.
  mutating func take() -> [UInt8] {
    append(Int16(-1))
    defer {
      bytes.removeAll(keepingCapacity: true)
      rows = 0
    }
    return bytes
  }

  mutating func beginRow() {
    // Signature, no flags, no extension.
    if bytes.isEmpty { bytes += Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0x00, 0, 0, 0, 0, 0, 0, 0, 0] }
    append(columns)
    rows += 1
  }

  mutating func int8(_ value: Int64) {
    append(Int32(8))
    append(value)
  }

  mutating func bool(_ value: Bool) {
    append(Int32(1))
    bytes.append(value ? 1 : 0)
  }

  mutating func uuid(_ key: PersonKey) {
    append(Int32(16))
    append(key.high)
    append(key.low)
  }

  mutating func text(_ text: some Collection<UInt8>) {
    append(Int32(text.count))
    bytes.append(contentsOf: text)
  }

  mutating func text(_ text: String) { self.text(text.utf8) }

  /// Version 1 of jsonb's binary form is its text.
  mutating func jsonb(_ json: [UInt8]) {
    append(Int32(json.count + 1))
    bytes.append(1)
    bytes.append(contentsOf: json)
  }

  /// Microseconds since 2000.
  mutating func timestamptz(_ instant: Instant) {
    append(Int32(8))
    append(instant.microseconds - 946_684_800_000_000)
  }

  mutating func null() { append(Int32(-1)) }

  private mutating func append(_ value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
  }
}
