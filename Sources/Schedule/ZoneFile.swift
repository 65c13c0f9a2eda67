import Glibc

/// Reads zone files: the one place of the rules that touches the disk. The system's files are used, because they are
/// updated with the system when a government changes its mind in the week before.
enum ZoneFile {
  /// Zone files are a few kilobytes; whatever is larger is none.
  private static let largest = 1 << 20

  static func bytes(of name: String, in directory: String) throws(ZoneError) -> [UInt8] {
    guard isName(name) else { throw .unknown(name) }
    let descriptor = open(directory + "/" + name, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      let code = errno
      throw code == ENOENT || code == ENOTDIR ? .unknown(name) : .unreadable(name, errno: code)
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 8192)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      if count < 0 {
        let code = errno
        if code == EINTR { continue }
        // A folder of zones, such as `America`, can be opened but not read.
        throw code == EISDIR ? .unknown(name) : .unreadable(name, errno: code)
      }
      if count == 0 { return bytes }
      bytes += buffer[..<count]
      guard bytes.count <= largest else { throw .malformed(name, reason: "too long") }
    }
  }

  /// A name comes from users and becomes part of a path: words of letters, digits, `_`, `+` and `-`, split by single
  /// `/`.
  static func isName(_ name: String) -> Bool {
    let words = name.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    return name.utf8.count <= 64
      && words.allSatisfy { word in
        !word.isEmpty
          && word.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"): true
            default: false
            }
          }
      }
  }
}

/// Why a zone cannot be used.
public enum ZoneError: Error, Equatable, Sendable {
  /// The system has no zone of that name: the user's to correct.
  case unknown(String)
  /// The file is there and could not be read: the operator's to correct.
  case unreadable(String, errno: Int32)
  case malformed(String, reason: String)
}
