import Crypto
import Domain
import Glibc
import Store

/// Who was erased, in a file outside the database: a line of time and keyed hashes for each, so that it names nobody
/// without the database's pepper. After a restore the service reads it and erases again whom the backup brought back.
struct ErasureRecord: Sendable {
  let path: String

  struct Failure: Error, CustomStringConvertible {
    let description: String
  }

  /// On the disk when it returns; only the owner may read it. One line is one write, so several nodes may share a file.
  func append(_ names: [PersonKey], _ at: Instant) throws {
    let file = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else { throw Failure(description: "the erasure record cannot be opened: \(Files.reason())") }
    defer { close(file) }
    let line = ([String(at.seconds)] + names.map { Crypto.hex($0.bytes) }).joined(separator: " ") + "\n"
    guard Files.write(Array(line.utf8), to: file), fsync(file) == 0 else {
      throw Failure(description: "the erasure record cannot be written: \(Files.reason())")
    }
  }

  /// All lines; none when there is no file yet. A line that is none is an error: half a record forgets half the people.
  func read() throws -> [(names: [PersonKey], at: Instant)] {
    guard access(path, F_OK) == 0 else { return [] }
    guard let bytes = Files.read(path) else {
      throw Failure(description: "the erasure record cannot be read: \(Files.reason())")
    }
    return try bytes.split(separator: UInt8(ascii: "\n")).enumerated().map { number, line in
      let words = String(decoding: line, as: UTF8.self).split(separator: " ")
      let names = words.dropFirst().compactMap { Crypto.bytes(hex: $0) }.filter { $0.count == 16 }
      guard let at = words.first.flatMap({ Int64($0) }), !names.isEmpty, names.count == words.count - 1 else {
        throw Failure(description: "line \(number + 1) of the erasure record is none: was it cut?")
      }
      return (names.map { PersonKey(bytes: $0) }, Instant(seconds: at))
    }
  }
}
