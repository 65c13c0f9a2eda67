import Glibc

/// The few file operations a private cluster needs.
enum ClusterFiles {
  static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  static func read(_ path: String) -> String? {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = Glibc.read(file, &bytes, bytes.count)
    return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
  }

  /// The last lines of a log, on one line, for an error's detail.
  static func tail(_ path: String, lines: Int = 4) -> String {
    let file = open(path, O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return "" }
    defer { close(file) }
    let size = lseek(file, 0, SEEK_END)
    lseek(file, max(0, size - 2048), SEEK_SET)
    var bytes = [UInt8](repeating: 0, count: 2048)
    let count = max(0, Glibc.read(file, &bytes, bytes.count))
    return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n").suffix(lines).joined(
      separator: " | ")
  }

  static func makeDirectory(_ path: String, mode: mode_t = 0o700) throws(ClusterError) {
    var made = ""
    for part in path.split(separator: "/") {
      made += (made.isEmpty && !path.hasPrefix("/") ? "" : "/") + part
      if mkdir(made, made == path ? mode : 0o755) != 0, errno != EEXIST {
        throw .files("mkdir \(made): \(String(cString: strerror(errno)))")
      }
    }
  }

  /// Removes a directory with all it holds; what cannot be removed stays.
  static func removeTree(_ path: String) {
    var status = stat()
    guard lstat(path, &status) == 0 else { return }
    // A symbolic link is removed, never followed.
    if status.st_mode & S_IFMT == S_IFDIR {
      for name in entries(path) { removeTree(path + "/" + name) }
    }
    _ = remove(path)
  }

  /// Takes the file's lock, which ends with this process however it ends. Nil when somebody holds it.
  static func lock(_ path: String) -> Int32? {
    let file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard file >= 0 else { return nil }
    if flock(file, LOCK_EX | LOCK_NB) == 0 { return file }
    close(file)
    return nil
  }

  static func entries(_ directory: String) -> [String] {
    guard let stream = opendir(directory) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) {
        $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }
}

/// Why a private cluster could not be started or used.
public enum ClusterError: Error, Equatable, Sendable {
  /// PostgreSQL's programs are not installed where Debian puts them, nor on the path.
  case notInstalled(String)
  /// Another process owns this directory.
  case inUse(directory: String)
  case files(String)
  /// A program of PostgreSQL failed; the end of what it printed.
  case failed(String)
}
