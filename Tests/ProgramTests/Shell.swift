import CLinux
import Glibc
import Testing

/// The built program, run as people run it: through a shell, by its exit code and what it prints.
struct Shell {
  struct Result {
    let code: Int32
    let output: String
  }

  /// A folder of its own, gone with `remove`.
  let directory: String
  private let environment: [String]

  init(_ settings: [String] = []) throws {
    directory = "/tmp/qafila-program-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    try #require(mkdir(directory, 0o711) == 0)
    let inherited = ["LD_LIBRARY_PATH"].compactMap { name in getenv(name).map { name + "=" + String(cString: $0) } }
    environment = ["PATH=/usr/bin:/bin", "HOME=\(directory)", "LANG=C.UTF-8", "LC_ALL=C.UTF-8"] + inherited + settings
  }

  /// Where the test bundle lies, lies the program.
  static let program: String = {
    let bundle = CommandLine.arguments.first { $0.hasSuffix(".xctest") } ?? CommandLine.arguments[0]
    return bundle.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/") + "/qafila"
  }()

  /// Runs a script in which `qafila` is the program; standard output and standard error together.
  func run(_ script: String) throws -> Result {
    let path = directory + "/output-\(UInt32.random(in: 0...UInt32.max))"
    let pid = try start(script, output: path)
    var status: Int32 = 0
    waitpid(pid, &status, 0)
    defer { unlink(path) }
    return Result(code: status >> 8 & 0xFF, output: Shell.read(path))
  }

  /// Starts a script and does not wait for its end.
  func start(_ script: String, output path: String) throws -> pid_t {
    let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    try #require(file >= 0)
    defer { close(file) }
    let whole = "qafila() { '\(Shell.program)' \"$@\"; }; \(script)"
    let arguments: [UnsafeMutablePointer<CChar>?] = [strdup("sh"), strdup("-c"), strdup(whole), nil]
    let settings: [UnsafeMutablePointer<CChar>?] = environment.map { strdup($0) } + [nil]
    defer { for text in arguments + settings { free(text) } }
    let pid = clinux_spawn("/bin/sh", arguments, settings, directory, file, -1, -1, 0)
    try #require(pid > 0, "/bin/sh does not start: \(-pid)")
    return pid
  }

  static func read(_ path: String) -> String {
    guard let file = fopen(path, "r") else { return "" }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 65_536)
    while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { bytes += chunk[..<count] }
    return String(decoding: bytes, as: UTF8.self)
  }

  func remove() throws {
    let result = try run("rm -rf '\(directory)'/*")
    #expect(result.code == 0)
    rmdir(directory)
  }
}
