/// The statements one session has prepared, by text and parameter types. Bounded: the longest unused gives way.
struct PreparedStatements {
  final class Entry {
    let sql: String
    let name: String
    let types: [UInt32]
    fileprivate(set) var lastUse: UInt64 = 0
    fileprivate init(_ sql: String, _ name: String, _ types: [UInt32]) {
      (self.sql, self.name, self.types) = (sql, name, types)
    }
  }

  enum Answer {
    case known(Entry)
    /// To be prepared; `evicted` is to be deallocated before.
    case new(Entry, evicted: String?)
  }

  static let bound = 256

  private var entries: [String: [Entry]] = [:]
  private var count = 0
  private var named: UInt64 = 0
  private var clock: UInt64 = 0

  /// Names are never used twice in a session: a statement whose fate is unknown cannot be taken for another.
  mutating func entry(for statement: Statement) -> Answer {
    clock += 1
    if let match = entries[statement.sql]?.first(where: { PreparedStatements.fits(statement.values, $0.types) }) {
      match.lastUse = clock
      return .known(match)
    }
    named += 1
    let entry = Entry(statement.sql, "s\(named)", statement.values.map(\.type))
    entry.lastUse = clock
    let evicted = count == PreparedStatements.bound ? evict() : nil
    entries[statement.sql, default: []].append(entry)
    count += 1
    return .new(entry, evicted: evicted)
  }

  mutating func forget(_ entry: Entry) {
    guard var variants = entries[entry.sql], let index = variants.firstIndex(where: { $0 === entry }) else { return }
    variants.remove(at: index)
    entries[entry.sql] = variants.isEmpty ? nil : variants
    count -= 1
  }

  /// A null has no type of its own, so it fits whatever was prepared.
  private static func fits(_ values: [Value], _ types: [UInt32]) -> Bool {
    guard values.count == types.count else { return false }
    for index in types.indices {
      let type = values[index].type
      if type != types[index], type != 0 { return false }
    }
    return true
  }

  private mutating func evict() -> String? {
    guard let oldest = entries.values.joined().min(by: { $0.lastUse < $1.lastUse }) else { return nil }
    forget(oldest)
    return oldest.name
  }
}
